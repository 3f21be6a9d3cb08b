"""Wikimedia Commons: 100 million freely licensed files, searched by keyword.

API: https://www.mediawiki.org/wiki/API:Query, generator=search with prop=imageinfo; the terms of each file are in its
extmetadata (https://www.mediawiki.org/wiki/Extension:CommonsMetadata), whose values may be HTML.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.clock import Clock
from shared.errors import Permanent, RateLimited, Unavailable
from shared.records.candidates import Candidate, Provenance
from shared.records.licenses import (
    CREATIVE_COMMONS,
    UNKNOWN,
    License,
    license_url,
    normalize_license,
)
from shared.sources.fields import integer_of, link_in, mapping_of, plain_text_of, text_of, url_of
from shared.sources.search.json_api import ApiAccess, JsonApi
from shared.sources.search.keyword_search import KeywordSearch, page_of
from shared.sources.source import Page, Query, SourceConfig
from shared.web.http.client import WebClient

WIKIMEDIA = ApiAccess("https://commons.wikimedia.org")
_METADATA = ("License", "LicenseShortName", "LicenseUrl", "Artist", "Attribution", "ImageDescription")
_QUERY = {
    "action": "query",
    "format": "json",
    "generator": "search",
    "gsrnamespace": "6",
    "gsrlimit": "50",
    "prop": "imageinfo",
    "iiprop": "url|size|mime|extmetadata",
    "iiextmetadatafilter": "|".join(_METADATA),
}
_PICTURES = frozenset(
    {"image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/bmp", "image/avif"}
)
_MAX_CONTINUE_CHARACTERS = 2000
_MAX_REQUESTS = 200  # for 50 files each: 10,000, behind which the search gives none
_TRANSIENT = frozenset({"maxlag", "readonly", "search-error", "backend-fail", "cirrussearch-too-busy-error"})
_LAST = 1 << 40


class WikimediaConfig(SourceConfig):
    """`{"type": "wikimedia"}`; with `width`, the server's scaled copies of that width are taken, not the originals."""

    searches: ClassVar[bool] = True
    gives: ClassVar[tuple[str, ...] | None] = (*CREATIVE_COMMONS, "flickr", UNKNOWN)

    type: Literal["wikimedia"] = "wikimedia"
    width: Annotated[int, Field(ge=64, le=8192)] | None = None


class Wikimedia(KeywordSearch):
    """See `Source`. The cursor is the API's `continue` object, as JSON, and how often the API was `asked` before."""

    def __init__(self, config: WikimediaConfig, access: ApiAccess, web: WebClient, clock: Clock) -> None:
        self._api = JsonApi("Wikimedia Commons", access, web, clock)
        self._scaled = {"iiurlwidth": str(config.width)} if config.width else {}

    async def page(self, query: Query, cursor: str | None) -> Page:
        """See `KeywordSearch.page`."""
        going_on = json.loads(cursor) if cursor else {}
        asked = int(going_on.pop("asked", 0)) + 1
        params = going_on | _QUERY | self._scaled | {"gsrsearch": f"filetype:bitmap {query.text}"}
        body = await self._api.get("/w/api.php", params)
        self._check(body)
        following = _continue_of(body)
        # a batch whose imageinfo did not fit is told in parts, each of which names all of its files
        in_parts = any(key.startswith("ii") for key in (*going_on, *following))
        ranked = sorted(self._pages(body), key=_rank)
        entries = _entries(ranked, query.label or query.text, in_parts=in_parts)
        ends = not following or following == going_on or asked >= _MAX_REQUESTS
        return page_of(entries, None if ends else json.dumps(following | {"asked": asked}, sort_keys=True))

    def _pages(self, body: Mapping[str, object]) -> Collection[object]:
        """The files by page id, or as a list (the API's format version 2, and an empty object by PHP's rules)."""
        found = body.get("query", {})
        pages = found.get("pages", {}) if isinstance(found, dict) else found
        if isinstance(pages, dict):
            return pages.values()
        if not isinstance(pages, list):
            raise self._api.misshapen()
        return pages

    def _check(self, body: Mapping[str, object]) -> None:
        """Errors come with status 200 (https://www.mediawiki.org/wiki/API:Errors_and_warnings)."""
        if "error" not in body:
            return
        code = text_of(mapping_of(body["error"]).get("code")) or "unknown"
        if code == "ratelimited":
            raise RateLimited("Wikimedia Commons asks to wait.", 60.0)
        if code in _TRANSIENT or code.startswith("internal_api_error"):
            raise Unavailable("Wikimedia Commons is out of order.")
        raise Permanent(f"Wikimedia Commons refused the search ({code[:100]}).")


def _rank(page: object) -> int:
    rank = integer_of(mapping_of(page).get("index"))
    return _LAST if rank is None else rank


def _continue_of(body: Mapping[str, object]) -> dict[str, str]:
    """What the next request has to add, within bounds; nothing at the end."""
    told = {
        key: str(value)
        for key, value in mapping_of(body.get("continue")).items()
        if isinstance(value, str | int) and (key == "continue" or key.startswith(("gsr", "ii")))
    }
    return told if len(json.dumps(told)) <= _MAX_CONTINUE_CHARACTERS else {}


def _entries(pages: list[object], label: str, *, in_parts: bool) -> Iterator[Candidate | str]:
    for page in pages:
        fields = mapping_of(page)
        infos = fields.get("imageinfo")
        info = mapping_of(infos[0]) if isinstance(infos, list) and infos else {}
        if not info:
            if not in_parts:
                yield "wikimedia: a result without a picture"
            continue
        mime = text_of(info.get("mime"))
        if mime is not None and mime not in _PICTURES:
            continue  # drawings, documents and sounds, which nobody asked for
        yield _candidate(fields, info, label)


def _candidate(page: Mapping[str, object], info: Mapping[str, object], label: str) -> Candidate | str:
    scaled = url_of(info.get("thumburl"))
    url = scaled or url_of(info.get("url"))
    if url is None:
        return "wikimedia: a result without a picture"
    metadata = mapping_of(info.get("extmetadata"))
    told = {name: mapping_of(metadata.get(name)).get("value") for name in _METADATA}
    found = _license(told)
    named = plain_text_of(told["LicenseShortName"]) if found.code == UNKNOWN else None
    title = (text_of(page.get("title")) or "").removeprefix("File:") or None
    author = next((told[name] for name in ("Attribution", "Artist") if plain_text_of(told[name])), None)
    page_url = url_of(info.get("descriptionurl"))
    width, height = ("thumbwidth", "thumbheight") if scaled else ("width", "height")
    return Candidate(
        url=url,
        label=label,
        provenance=Provenance(
            source="wikimedia",
            page_url=page_url,
            title=title,
            creator=plain_text_of(author),
            creator_url=link_in(author, page_url or WIKIMEDIA.base_url),
            license=found.code,
            license_version=found.version,
            license_url=url_of(told["LicenseUrl"]) or license_url(found),
        ),
        caption=plain_text_of(told["ImageDescription"]) or title,
        width=integer_of(info.get(width)),
        height=integer_of(info.get(height)),
        extra={"license": named} if named else {},
    )


def _license(told: Mapping[str, object]) -> License:
    """The first that is understood of the code, the name and the URL."""
    found = (normalize_license(text_of(told[name])) for name in ("License", "LicenseShortName", "LicenseUrl"))
    return next((one for one in found if one.code != UNKNOWN), License(UNKNOWN))
