"""Brave Search finds pictures of the whole web by keyword. It does not report their licences.

API: https://api-dashboard.search.brave.com/api-reference/images/image_search. A search has one page of 200 results.
"""

from typing import ClassVar, Literal, override

from shared.clock import Clock
from shared.records.candidates import Candidate, Provenance
from shared.records.licenses import UNKNOWN
from shared.sources.fields import integer_of, mapping_of, text_of, url_of
from shared.sources.search.json_api import ApiAccess, JsonApi
from shared.sources.search.keyword_search import KeywordSearch, page_of
from shared.sources.source import Page, Query, SourceConfig
from shared.web.http.client import WebClient

BRAVE = ApiAccess("https://api.search.brave.com", "BRAVE_API_KEY")
MAX_RESULTS = 200


class BraveConfig(SourceConfig):
    """Configures `{"type": "brave"}`. `mature` widens the search."""

    searches: ClassVar[bool] = True
    gives: ClassVar[tuple[str, ...] | None] = (UNKNOWN,)

    type: Literal["brave"] = "brave"
    mature: bool = False


class Brave(KeywordSearch):
    """Implements `Source`. There is no cursor."""

    def __init__(self, config: BraveConfig, access: ApiAccess, web: WebClient, clock: Clock) -> None:
        self._api = JsonApi("Brave Search", access, web, clock, bad_key=b"SUBSCRIPTION_TOKEN_INVALID")
        self._headers = {"x-subscription-token": access.key or ""}
        self._params = {"count": str(MAX_RESULTS), "safesearch": "off" if config.mature else "strict"}

    @override
    async def page(self, query: Query, cursor: str | None) -> Page:
        del cursor
        params = self._params | {"q": query.text}
        body = await self._api.get("/res/v1/images/search", params, headers=self._headers)
        results = self._api.list_in(body, "results")
        return page_of((_candidate(result, query.label or query.text) for result in results), None)


def _candidate(result: object, label: str) -> Candidate | str:
    fields = mapping_of(result)
    picture = mapping_of(fields.get("properties"))
    url = url_of(picture.get("url"))
    if url is None:
        return "brave: a result without a picture"
    title = text_of(fields.get("title"))
    return Candidate(
        url=url,
        label=label,
        provenance=Provenance(source="brave", page_url=url_of(fields.get("url")), title=title),
        caption=title,
        width=integer_of(picture.get("width")),
        height=integer_of(picture.get("height")),
    )
