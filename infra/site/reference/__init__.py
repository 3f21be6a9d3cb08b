"""The pages of the reference that the code gives."""

from functools import lru_cache

from infra.site.reference.description import description
from infra.site.reference.models import models_page
from infra.site.reference.operations import Calls
from infra.site.reference.spec_fields import spec_page

_FOLDER = "reference/http"


@lru_cache(maxsize=1)
def reference_pages() -> dict[str, str]:
    """Returns the texts of the pages by their paths in the site."""
    document = description()
    components = document["components"]["schemas"]
    calls = Calls(document)
    return {
        f"{_FOLDER}/index.md": calls.index(),
        **{f"{_FOLDER}/{name}": text for name, text in calls.pages().items()},
        f"{_FOLDER}/models.md": models_page(components),
        "reference/spec-fields.md": spec_page(components),
    }
