"""Wikimedia Commons finds 100 million freely licensed files by keyword.

API: https://www.mediawiki.org/wiki/API:Query, generator=search with prop=imageinfo. The terms of each file are in its
extmetadata (https://www.mediawiki.org/wiki/Extension:CommonsMetadata), whose values may be HTML.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, ClassVar, Literal, override

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
from shared.sources.fields import id_of, integer_of, link_in, mapping_of, plain_text_of, text_of, url_of
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
# each is for 50 files; the search returns at most 10,000
_MAX_REQUESTS = 200
MAX_RESULTS = 10_000
_TRANSIENT = frozenset({"maxlag", "readonly", "search-error", "backend-fail", "cirrussearch-too-busy-error"})
_LAST = 1 << 40


class WikimediaConfig(SourceConfig):
    """Configures `{"type": "wikimedia"}`.

    With `width`, the server's scaled copies of that width replace the originals.
    """

    searches: ClassVar[bool] = True
    gives: ClassVar[tuple[str, ...] | None] = (*CREATIVE_COMMONS, "flickr", UNKNOWN)

    type: Literal["wikimedia"] = "wikimedia"
    width: Annotated[int, Field(ge=64, le=8192)] | None = None


class Wikimedia(KeywordSearch):
    """Implements `Source`.

    The cursor is JSON: the API's `continue` object, and the number of calls so far (`asked`).
    """

    def __init__(self, config: WikimediaConfig, access: ApiAccess, web: WebClient, clock: Clock) -> None:
        self._api = JsonApi("Wikimedia Commons", access, web, clock)
        self._scaled = {"iiurlwidth": str(config.width)} if config.width else {}

    @override
    async def page(self, query: Query, cursor: str | None) -> Page:
        going_on = json.loads(cursor) if cursor else {}
        asked = int(going_on.pop("asked", 0)) + 1
        params = going_on | _QUERY | self._scaled | {"gsrsearch": f"filetype:bitmap {query.text}"}
        body = await self._api.get("/w/api.php", params)
        self._check(body)
        following = _continue_of(body)
        # if the imageinfo of a batch is too long, the API sends parts, and each part names all files of the batch
        in_parts = any(key.startswith("ii") for key in (*going_on, *following))
        ranked = sorted(self._pages(body), key=_rank)
        entries = _entries(ranked, query.label or query.text, in_parts=in_parts)
        ends = not following or following == going_on or asked >= _MAX_REQUESTS
        return page_of(entries, None if ends else json.dumps(following | {"asked": asked}, sort_keys=True))

    def _pages(self, body: Mapping[str, object]) -> Collection[object]:
        """Returns the files by page id, or as a list (format version 2 of the API, or an empty PHP object)."""
        found = body.get("query", {})
        pages = found.get("pages", {}) if isinstance(found, dict) else found
        if isinstance(pages, dict):
            return pages.values()
        if not isinstance(pages, list):
            raise self._api.misshapen()
        return pages

    def _check(self, body: Mapping[str, object]) -> None:
        """Raises the service's errors, which have status 200.

        Source: https://www.mediawiki.org/wiki/API:Errors_and_warnings
        """
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
    """Returns the parameters that the next request must add, within limits, or nothing at the end."""
    values = {
        key: str(value)
        for key, value in mapping_of(body.get("continue")).items()
        if isinstance(value, str | int) and (key == "continue" or key.startswith(("gsr", "ii")))
    }
    return values if len(json.dumps(values)) <= _MAX_CONTINUE_CHARACTERS else {}


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
            # drawings, documents and sounds are not photos
            continue
        yield _candidate(fields, info, label)


def _candidate(page: Mapping[str, object], info: Mapping[str, object], label: str) -> Candidate | str:
    scaled = url_of(info.get("thumburl"))
    url = scaled or url_of(info.get("url"))
    if url is None:
        return "wikimedia: a result without a picture"
    metadata = mapping_of(info.get("extmetadata"))
    declared = {name: mapping_of(metadata.get(name)).get("value") for name in _METADATA}
    found = _license(declared)
    named = plain_text_of(declared["LicenseShortName"]) if found.code == UNKNOWN else None
    title = (text_of(page.get("title")) or "").removeprefix("File:") or None
    author = next(
        (declared[name] for name in ("Attribution", "Artist") if plain_text_of(declared[name])), None
    )
    page_url = url_of(info.get("descriptionurl"))
    width, height = ("thumbwidth", "thumbheight") if scaled else ("width", "height")
    return Candidate(
        url=url,
        label=label,
        provenance=Provenance(
            source="wikimedia",
            source_id=id_of(page.get("pageid")),
            page_url=page_url,
            title=title,
            creator=plain_text_of(author),
            creator_url=link_in(author, page_url or WIKIMEDIA.base_url),
            license=found.code,
            license_version=found.version,
            license_url=url_of(declared["LicenseUrl"]) or license_url(found),
        ),
        caption=plain_text_of(declared["ImageDescription"]) or title,
        width=integer_of(info.get(width)),
        height=integer_of(info.get(height)),
        extra={"license": named} if named else {},
    )


def _license(declared: Mapping[str, object]) -> License:
    """Returns the first licence that is understood: from the code, the name or the URL."""
    found = (
        normalize_license(text_of(declared[name])) for name in ("License", "LicenseShortName", "LicenseUrl")
    )
    return next((one for one in found if one.code != UNKNOWN), License(UNKNOWN))
