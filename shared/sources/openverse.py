"""Openverse: 800 million openly licensed images, searched by keyword.

API: https://api.openverse.org/v1/ (images/search). Anonymous callers get 20 results a page and 12 pages at most;
a client's credentials (OAuth2) raise that.
"""

import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.candidates import Candidate, Provenance
from shared.clock import Clock
from shared.errors import Permanent, RateLimited, Unavailable
from shared.licenses import License, license_url, normalize_license
from shared.sources.fields import integer_of, mapping_of, text_of
from shared.sources.source import Page, Query, SourceConfig
from shared.web.client import WebClient, WebRequest, WebResponse

_ANONYMOUS_PAGE_SIZE = 20
_KNOWN_PAGE_SIZE = 500
_ANONYMOUS_MAX_RESULTS = 240
_MAX_RESULTS = 10_000
_DEFAULT_WAIT_SECONDS = 60.0
_TOKEN_MARGIN_SECONDS = 60.0


class OpenverseConfig(SourceConfig):
    """`{"type": "openverse"}`; `license` and `license_type` narrow the search, `mature` widens it."""

    searches: ClassVar[bool] = True

    type: Literal["openverse"] = "openverse"
    license: (
        Annotated[
            tuple[Literal["cc0", "pdm", "by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd"], ...],
            Field(min_length=1),
        ]
        | None
    ) = None
    license_type: Literal["all", "all-cc", "commercial", "modification"] | None = None
    mature: bool = False


@dataclass(frozen=True, slots=True)
class OpenverseAccess:
    """Where the API is, and the OAuth2 client where there is one."""

    base_url: str = "https://api.openverse.org"
    client_id: str | None = None
    client_secret: str | None = None


class Openverse:
    """See `Source`. The cursor is the number of the next page."""

    def __init__(
        self, config: OpenverseConfig, access: OpenverseAccess, web: WebClient, clock: Clock
    ) -> None:
        self._config = config
        self._access = access
        self._web = web
        self._clock = clock
        self._token = ""
        self._token_until = 0.0

    def queries(self, labels: Mapping[str, Sequence[str]]) -> Sequence[Query]:
        """One query for each keyword of each label."""
        return [
            Query(f"{label}/{keyword}", label, keyword)
            for label, words in labels.items()
            for keyword in words
        ]

    async def pages(self, query: Query, cursor: str | None) -> AsyncGenerator[Page]:
        """See `Source.pages`."""
        number = int(cursor) if cursor else 1
        while True:
            page = await self._page(query, number)
            yield page
            if page.cursor is None:
                return
            number = int(page.cursor)

    async def _page(self, query: Query, number: int) -> Page:
        token = await self._bearer()
        size = _KNOWN_PAGE_SIZE if token else _ANONYMOUS_PAGE_SIZE
        params = {"q": query.text, "page": str(number), "page_size": str(size)}
        if self._config.license:
            params["license"] = ",".join(self._config.license)
        if self._config.license_type:
            params["license_type"] = self._config.license_type
        if self._config.mature:
            params["mature"] = "true"
        headers = {"accept": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        url = f"{self._access.base_url.rstrip('/')}/v1/images/"
        response = await self._web.send(WebRequest(url, params=params, headers=headers))
        if response.status == 404 and number > 1:
            return Page((), None)  # the depth that this caller may page to ends here
        body = mapping_of(_decoded(response))
        found = body.get("results")
        results = found if isinstance(found, list) else []
        candidates, problems = _candidates(results, query.label or query.text)
        limit = _MAX_RESULTS if token else _ANONYMOUS_MAX_RESULTS
        pages = integer_of(body.get("page_count")) or 0
        more = bool(results) and number < pages and number * size < limit
        return Page(candidates, str(number + 1) if more else None, problems)

    async def _bearer(self) -> str:
        """A token of the client's, renewed before it expires; empty for anonymous callers."""
        if not self._access.client_id or not self._access.client_secret:
            return ""
        if self._clock.monotonic() < self._token_until:
            return self._token
        form = {
            "grant_type": "client_credentials",
            "client_id": self._access.client_id,
            "client_secret": self._access.client_secret,
        }
        from urllib.parse import urlencode

        request = WebRequest(
            f"{self._access.base_url.rstrip('/')}/v1/auth_tokens/token/",
            method="POST",
            headers={"content-type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )
        answer = mapping_of(_decoded(await self._web.send(request)))
        token = text_of(answer.get("access_token"))
        if not token:
            raise Permanent("Openverse gave no token for the client id in OPENVERSE_CLIENT_ID.")
        lifetime = float(integer_of(answer.get("expires_in")) or 0)
        self._token_until = self._clock.monotonic() + max(0.0, lifetime - _TOKEN_MARGIN_SECONDS)
        self._token = token
        return token


def _decoded(response: WebResponse) -> object:
    if response.status == 429:
        raise RateLimited("Openverse asks to wait.", _wait_seconds(response))
    if response.status >= 500:
        raise Unavailable(f"Openverse answered with status {response.status}.")
    if response.status >= 400:
        raise Permanent(f"Openverse refused the search with status {response.status}.")
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        raise Unavailable("Openverse answered with something that is not JSON.") from None


def _wait_seconds(response: WebResponse) -> float:
    header = response.headers.get("retry-after", "")
    if header.isascii() and header.isdigit():
        return float(header[:6])
    told = re.search(rb"available in (\d{1,6}) second", response.body[:10_000])
    return float(told[1]) if told else _DEFAULT_WAIT_SECONDS


def _candidates(results: Sequence[object], label: str) -> tuple[tuple[Candidate, ...], tuple[str, ...]]:
    candidates: list[Candidate] = []
    problems: list[str] = []
    for result in results:
        fields = mapping_of(result)
        url = text_of(fields.get("url"))
        if url is None:
            problems.append("openverse: a result without a picture")
            continue
        candidates.append(_candidate(fields, url, label))
    return tuple(candidates), tuple(problems)


def _candidate(fields: Mapping[str, object], url: str, label: str) -> Candidate:
    found = normalize_license(text_of(fields.get("license")))
    version = text_of(fields.get("license_version"))
    return Candidate(
        url=url,
        label=label,
        provenance=Provenance(
            source="openverse",
            page_url=text_of(fields.get("foreign_landing_url")),
            title=text_of(fields.get("title")),
            creator=text_of(fields.get("creator")),
            creator_url=text_of(fields.get("creator_url")),
            license=found.code,
            license_version=version,
            license_url=text_of(fields.get("license_url")) or license_url(License(found.code, version)),
            attribution=text_of(fields.get("attribution")),
        ),
        caption=text_of(fields.get("title")),
        width=integer_of(fields.get("width")),
        height=integer_of(fields.get("height")),
    )
