"""Pexels finds photos under its own licence by keyword.

API: https://www.pexels.com/api/documentation/#photos-search. It asks to credit the photographers.
"""

from typing import ClassVar, Literal, override

from shared.clock import Clock
from shared.records.candidates import Candidate, Provenance
from shared.records.licenses import License, license_url
from shared.sources.fields import id_of, integer_of, mapping_of, text_of, url_of
from shared.sources.search.json_api import ApiAccess, JsonApi
from shared.sources.search.keyword_search import KeywordSearch, page_number, page_of
from shared.sources.source import Page, Query, SourceConfig
from shared.web.http.client import WebClient

PEXELS = ApiAccess("https://api.pexels.com", "PEXELS_API_KEY")
_PAGE_SIZE = 80
# paging ends here even if the service offers more
MAX_RESULTS = 10_000
_LICENSE = License("pexels")


class PexelsConfig(SourceConfig):
    """Configures `{"type": "pexels"}`. `size` selects the copy to fetch: the original, or one for screens."""

    searches: ClassVar[bool] = True
    gives: ClassVar[tuple[str, ...] | None] = (_LICENSE.code,)

    type: Literal["pexels"] = "pexels"
    size: Literal["original", "large2x"] = "original"


class Pexels(KeywordSearch):
    """Implements `Source`. The cursor is the number of the next page."""

    def __init__(self, config: PexelsConfig, access: ApiAccess, web: WebClient, clock: Clock) -> None:
        self._api = JsonApi("Pexels", access, web, clock)
        self._headers = {"authorization": access.key or ""}
        self._size = config.size

    @override
    async def page(self, query: Query, cursor: str | None) -> Page:
        number = page_number(cursor)
        params = {"query": query.text, "per_page": str(_PAGE_SIZE), "page": str(number)}
        body = await self._api.get("/v1/search", params, headers=self._headers)
        results = self._api.list_in(body, "photos")
        # `next_page` is a URL and only shows that there is a next page: the key is sent to the base URL only
        more = bool(results) and url_of(body.get("next_page")) is not None
        following = str(number + 1) if more and number * _PAGE_SIZE < MAX_RESULTS else None
        label = query.label or query.text
        return page_of((_candidate(result, label, self._size) for result in results), following)


def _candidate(result: object, label: str, size: str) -> Candidate | str:
    fields = mapping_of(result)
    src = mapping_of(fields.get("src"))
    asked = url_of(src.get(size))
    original = asked is None or size == "original"
    url = asked or url_of(src.get("original"))
    if url is None:
        return "pexels: a result without a picture"
    alt = text_of(fields.get("alt"))
    return Candidate(
        url=url,
        label=label,
        provenance=Provenance(
            source="pexels",
            source_id=id_of(fields.get("id")),
            page_url=url_of(fields.get("url")),
            title=alt,
            creator=text_of(fields.get("photographer")),
            creator_url=url_of(fields.get("photographer_url")),
            license=_LICENSE.code,
            license_url=license_url(_LICENSE),
        ),
        caption=alt,
        width=integer_of(fields.get("width")) if original else None,
        height=integer_of(fields.get("height")) if original else None,
    )
