"""The pages of the reference that the code gives."""

import re
from functools import lru_cache

from infra.site.reference.description import describe_api
from infra.site.reference.models import models_page
from infra.site.reference.operations import Calls
from infra.site.reference.spec_fields import spec_page

_FOLDER = "reference/http"
API_PAGE = "reference/api.md"

_CALL = re.compile(r"^\| `(?P<signature>[A-Z]+ /[^`]*)` \|", re.MULTILINE)


@lru_cache(maxsize=1)
def _calls() -> Calls:
    return Calls(describe_api())


@lru_cache(maxsize=1)
def reference_pages() -> dict[str, str]:
    """Returns the texts of the pages by their paths in the site."""
    calls = _calls()
    components = calls.document["components"]["schemas"]
    return {
        f"{_FOLDER}/index.md": calls.index(),
        **{f"{_FOLDER}/{name}": text for name, text in calls.pages().items()},
        f"{_FOLDER}/models.md": models_page(components),
        "reference/spec-fields.md": spec_page(components),
    }


def link_calls(text: str) -> str:
    """Returns the text of `API_PAGE` with a link to the page of each call in its table."""
    places = _calls().places()
    return _CALL.sub(
        lambda row: (
            f"| [`{row['signature']}`](http/{places[row['signature']]}) |"
            if row["signature"] in places
            else row[0]
        ),
        text,
    )
