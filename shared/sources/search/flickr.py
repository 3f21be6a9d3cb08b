"""Flickr finds photos of its members by keyword. By default it finds those under an open licence.

API: https://www.flickr.com/services/api/flickr.photos.search.html. The numbers of the licences are those of
https://www.flickr.com/services/api/flickr.photos.licenses.getInfo.html.
"""

import re
from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar, Literal, Self, override

from pydantic import FailFast, Field, Strict

from shared.clock import Clock
from shared.errors import Unavailable
from shared.records.candidates import Candidate, Provenance
from shared.records.licenses import UNKNOWN, CreativeCommonsCode, License, license_url
from shared.sources.fields import id_of, integer_of, mapping_of, text_of, url_of
from shared.sources.search.json_api import ApiAccess, JsonApi, Refused
from shared.sources.search.keyword_search import KeywordSearch, page_number, page_of
from shared.sources.source import Page, Query, SourceConfig
from shared.web.http.client import WebClient

FLICKR = ApiAccess("https://api.flickr.com", "FLICKR_API_KEY")
_PAGE_SIZE = 500
# after this many results, Flickr repeats itself
MAX_RESULTS = 4000
_LICENSES = {
    # all rights reserved
    0: License(UNKNOWN),
    1: License("by-nc-sa", "2.0"),
    2: License("by-nc", "2.0"),
    3: License("by-nc-nd", "2.0"),
    4: License("by", "2.0"),
    5: License("by-sa", "2.0"),
    6: License("by-nd", "2.0"),
    # no known copyright restrictions
    7: License("flickr"),
    # a work of the United States' government
    8: License("pdm"),
    9: License("cc0", "1.0"),
    10: License("pdm", "1.0"),
    11: License("by", "4.0"),
    12: License("by-sa", "4.0"),
    13: License("by-nd", "4.0"),
    14: License("by-nc", "4.0"),
    15: License("by-nc-sa", "4.0"),
    16: License("by-nc-nd", "4.0"),
}
_OPEN = tuple(dict.fromkeys(found.code for found in _LICENSES.values() if found.code != UNKNOWN))
_GOVERNMENT = 8
_GOVERNMENT_URL = "https://www.usa.gov/government-copyright"
_SIZES = ("o", "l", "m")
_BAD_KEY = 100
_TRANSIENT = frozenset({0, 10, 105, 106})
_IDENTIFIER = re.compile(r"[\w.@-]{1,100}", re.ASCII)


class FlickrConfig(SourceConfig):
    """Configures `{"type": "flickr"}`. `license` narrows the search; "unknown" widens it to all rights reserved."""

    searches: ClassVar[bool] = True
    gives: ClassVar[tuple[str, ...]] = _OPEN

    type: Literal["flickr"] = "flickr"
    license: (
        Annotated[
            tuple[Literal[CreativeCommonsCode, "flickr", "unknown"], ...],
            Strict(False),
            FailFast(),
            Field(min_length=1, max_length=20),
        ]
        | None
    ) = None

    @override
    def under(self, licenses: Collection[str]) -> Self | None:
        wanted = tuple(code for code in self.license or self.gives if code in licenses)
        return self.model_copy(update={"license": wanted}) if wanted else None


class Flickr(KeywordSearch):
    """Implements `Source`. The cursor is the number of the next page."""

    def __init__(self, config: FlickrConfig, access: ApiAccess, web: WebClient, clock: Clock) -> None:
        self._api = JsonApi("Flickr", access, web, clock)
        self._key = {"api_key": access.key or ""}
        wanted = config.license or _OPEN
        self._params = {
            "method": "flickr.photos.search",
            "format": "json",
            "nojsoncallback": "1",
            "media": "photos",
            "safe_search": "1",
            "sort": "relevance",
            "extras": "license,owner_name,url_o,url_l,url_m",
            "license": ",".join(str(number) for number, found in _LICENSES.items() if found.code in wanted),
            "per_page": str(_PAGE_SIZE),
        }

    @override
    async def page(self, query: Query, cursor: str | None) -> Page:
        number = page_number(cursor)
        params = self._params | {"text": query.text, "page": str(number)}
        body = await self._api.get("/services/rest/", params, secret_params=self._key)
        self._check(body)
        photos = mapping_of(body.get("photos"))
        results = self._api.list_in(photos, "photo")
        pages = integer_of(photos.get("pages")) or 0
        more = bool(results) and number < pages and number * _PAGE_SIZE < MAX_RESULTS
        label = query.label or query.text
        return page_of((_candidate(result, label) for result in results), str(number + 1) if more else None)

    def _check(self, body: Mapping[str, object]) -> None:
        """Raises the service's errors.

        They have status 200 and the form `{"stat": "fail", "code": …, "message": …}`.
        """
        if body.get("stat") != "fail":
            return
        code = integer_of(body.get("code"))
        if code == _BAD_KEY:
            raise self._api.key_refused(200)
        if code in _TRANSIENT:
            raise Unavailable("Flickr's search is out of order.")
        raise Refused(f"Flickr refused the search with its error {code}.", 200)


def _candidate(result: object, label: str) -> Candidate | str:
    fields = mapping_of(result)
    urls = {size: url_of(fields.get(f"url_{size}")) for size in _SIZES}
    size = next((size for size in _SIZES if urls[size]), None)
    if size is None:
        return "flickr: a result without a picture"
    number = integer_of(fields.get("license"))
    found = _LICENSES.get(-1 if number is None else number, License(UNKNOWN))
    owner = _safe(fields.get("owner"))
    photo = _safe(fields.get("id"))
    title = text_of(fields.get("title"))
    return Candidate(
        url=urls[size] or "",
        label=label,
        provenance=Provenance(
            source="flickr",
            source_id=id_of(fields.get("id")),
            page_url=f"https://www.flickr.com/photos/{owner}/{photo}" if owner and photo else None,
            title=title,
            creator=text_of(fields.get("ownername")),
            creator_url=f"https://www.flickr.com/people/{owner}" if owner else None,
            license=found.code,
            license_version=found.version,
            license_url=_GOVERNMENT_URL if number == _GOVERNMENT else license_url(found),
        ),
        caption=title,
        width=integer_of(fields.get(f"width_{size}")),
        height=integer_of(fields.get(f"height_{size}")),
    )


def _safe(value: object) -> str | None:
    """Returns the identifier if a URL's path may hold it."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if _IDENTIFIER.fullmatch(text) and text.strip(".") else None
