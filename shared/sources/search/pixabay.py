"""Pixabay finds pictures under its own licence by keyword, at most 500 per search.

API: https://pixabay.com/api/docs/. Its terms require a credit and a cache of 24 hours, and forbid mass downloads.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, override

from shared.clock import Clock
from shared.errors import Permanent
from shared.records.candidates import Candidate, Provenance
from shared.records.licenses import License, license_url
from shared.sources.fields import id_of, integer_of, mapping_of, text_of, url_of
from shared.sources.search.answer_cache import KeptAnswers
from shared.sources.search.json_api import ApiAccess, JsonApi, KeyRefused, Refused
from shared.sources.search.keyword_search import KeywordSearch, page_number, page_of
from shared.sources.source import Page, Query, SourceConfig
from shared.storage.blobs import BlobStore
from shared.web.http.client import WebClient

PIXABAY = ApiAccess("https://pixabay.com", "PIXABAY_API_KEY")
_PAGE_SIZE = 200
MAX_RESULTS = 500
_MAX_QUERY_CHARACTERS = 100
_LICENSE = License("pixabay")
_URLS = ("imageURL", "fullHDURL", "largeImageURL", "webformatURL")


class PixabayConfig(SourceConfig):
    """Configures `{"type": "pixabay"}`. `image_type` and `mature` widen the search.

    With `opt_out`, pictures whose authors object to the training of AI are left out.
    """

    searches: ClassVar[bool] = True
    gives: ClassVar[tuple[str, ...] | None] = (_LICENSE.code,)

    type: Literal["pixabay"] = "pixabay"
    image_type: Literal["photo", "illustration", "vector", "all"] = "photo"
    mature: bool = False
    opt_out: bool = True


class Pixabay(KeywordSearch):
    """Implements `Source`. The cursor is the number of the next page."""

    def __init__(
        self, config: PixabayConfig, access: ApiAccess, web: WebClient, clock: Clock, blobs: BlobStore
    ) -> None:
        self._kept = KeptAnswers("pixabay", blobs, clock)
        self._api = JsonApi("Pixabay", access, web, clock, bad_key=b"API key")
        self._key = {"key": access.key or ""}
        self._opt_out = config.opt_out
        self._params = {
            "image_type": config.image_type,
            "safesearch": "false" if config.mature else "true",
            "per_page": str(_PAGE_SIZE),
        }

    @override
    async def page(self, query: Query, cursor: str | None) -> Page:
        if len(query.text) > _MAX_QUERY_CHARACTERS:
            raise Permanent(f"Pixabay takes keywords of up to {_MAX_QUERY_CHARACTERS} characters.")
        number = page_number(cursor)
        params = self._params | {"q": query.text, "page": str(number)}
        try:
            body = await self._answer(params)
        except Refused as error:
            if error.status == 400 and number > 1 and not isinstance(error, KeyRefused):
                # there are now fewer pages than before
                return Page((), None)
            raise
        results = self._api.list_in(body, "hits")
        total = min(integer_of(body.get("totalHits")) or 0, MAX_RESULTS)
        more = bool(results) and number * _PAGE_SIZE < total
        label = query.label or query.text
        following = str(number + 1) if more else None
        return page_of((_candidate(result, label, opt_out=self._opt_out) for result in results), following)

    async def _answer(self, params: Mapping[str, str]) -> Mapping[str, Any]:
        """Returns Pixabay's answer, or the one of the last 24 hours. Its `hits` are a list."""
        kept = await self._kept.get(params)
        if kept is not None:
            return kept
        body = await self._api.get("/api/", params, secret_params=self._key)
        # this raises if there is no list, so that such an answer is not kept
        self._api.list_in(body, "hits")
        await self._kept.put(params, body)
        return body


def _candidate(result: object, label: str, *, opt_out: bool) -> Candidate | str:
    fields = mapping_of(result)
    if opt_out and fields.get("noAiTraining") is True:
        return "pixabay: left out, as its author wants no AI to be trained with it"
    # only accounts with full access get this field
    original = url_of(fields.get("imageURL"))
    url = next((url for name in _URLS if (url := url_of(fields.get(name)))), None)
    if url is None:
        return "pixabay: a result without a picture"
    return Candidate(
        url=url,
        label=label,
        provenance=Provenance(
            source="pixabay",
            source_id=id_of(fields.get("id")),
            page_url=url_of(fields.get("pageURL")),
            creator=text_of(fields.get("user")),
            creator_url=url_of(fields.get("userURL")),
            license=_LICENSE.code,
            license_url=license_url(_LICENSE),
        ),
        caption=text_of(fields.get("tags")),
        width=integer_of(fields.get("imageWidth")) if original else None,
        height=integer_of(fields.get("imageHeight")) if original else None,
    )
