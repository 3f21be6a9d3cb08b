"""Openverse finds 800 million openly licensed images by keyword.

API: https://api.openverse.org/v1/ (images/search). Anonymous callers get 20 results per page and at most 12 pages. A
client's credentials (OAuth2) raise these limits.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, Self, override
from urllib.parse import urlencode

from pydantic import FailFast, Field, Strict

from shared.clock import Clock
from shared.records.candidates import Candidate, Provenance
from shared.records.licenses import (
    CREATIVE_COMMONS,
    CreativeCommonsCode,
    License,
    license_url,
    normalize_license,
)
from shared.sources.fields import id_of, integer_of, mapping_of, text_of, url_of
from shared.sources.search.json_api import ApiAccess, JsonApi, KeyRefused, Refused
from shared.sources.search.keyword_search import KeywordSearch, page_number, page_of
from shared.sources.source import Page, Query, SourceConfig
from shared.web.http.client import WebClient

_ANONYMOUS_PAGE_SIZE = 20
_KNOWN_PAGE_SIZE = 500
_ANONYMOUS_MAX_RESULTS = 240
_MAX_RESULTS = 10_000
_TOKEN_MARGIN_SECONDS = 60.0
_FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
# the licence element that a type excludes
_EXCLUDED = {"commercial": "nc", "modification": "nd"}


class OpenverseConfig(SourceConfig):
    """Configures `{"type": "openverse"}`. `license` and `license_type` narrow the search, `mature` widens it."""

    searches: ClassVar[bool] = True
    gives: ClassVar[tuple[str, ...]] = CREATIVE_COMMONS

    type: Literal["openverse"] = "openverse"
    license: (
        Annotated[
            tuple[CreativeCommonsCode, ...], Strict(False), FailFast(), Field(min_length=1, max_length=20)
        ]
        | None
    ) = None
    license_type: Literal["all", "all-cc", "commercial", "modification"] | None = None
    mature: bool = False

    @override
    def under(self, licenses: Collection[str]) -> Self | None:
        excluded = _EXCLUDED.get(self.license_type or "", "none")
        known = (code for code in self.license or self.gives if excluded not in code.split("-"))
        wanted = tuple(code for code in known if code in licenses)
        return self.model_copy(update={"license": wanted}) if wanted else None


@dataclass(frozen=True, slots=True)
class OpenverseAccess:
    """The API's address, and the OAuth2 client if there is one."""

    base_url: str = "https://api.openverse.org"
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)

    @property
    def missing(self) -> str | None:
        """The setting of the missing half of the client, or None if the settings have both halves or none."""
        if bool(self.client_id) == bool(self.client_secret):
            return None
        return "OPENVERSE_CLIENT_SECRET" if self.client_id else "OPENVERSE_CLIENT_ID"

    @property
    def is_known(self) -> bool:
        """Whether the service knows the client, and so allows it more."""
        return bool(self.client_id and self.client_secret)

    @property
    def max_results(self) -> int:
        """How many results a search has at most."""
        return _MAX_RESULTS if self.is_known else _ANONYMOUS_MAX_RESULTS


class Openverse(KeywordSearch):
    """Implements `Source`. The cursor is the number of the next page."""

    def __init__(
        self, config: OpenverseConfig, access: OpenverseAccess, web: WebClient, clock: Clock
    ) -> None:
        self._access = access
        self._clock = clock
        self._known = access.is_known
        setting = "OPENVERSE_CLIENT_ID" if self._known else ""
        self._api = JsonApi("Openverse", ApiAccess(access.base_url, setting), web, clock, b"invalid_client")
        self._narrowed = _narrowed(config)
        self._token = ""
        self._token_until = 0.0

    @override
    async def page(self, query: Query, cursor: str | None) -> Page:
        number = page_number(cursor)
        size = _KNOWN_PAGE_SIZE if self._known else _ANONYMOUS_PAGE_SIZE
        params = {"q": query.text, "page": str(number), "page_size": str(size), **self._narrowed}
        try:
            body = await self._found(params)
        except Refused as error:
            if error.status == 404 and number > 1:
                # the caller may read no further page
                return Page((), None)
            raise
        results = self._api.list_in(body, "results")
        pages = integer_of(body.get("page_count")) or 0
        more = bool(results) and number < pages and number * size < self._access.max_results
        label = query.label or query.text
        return page_of((_candidate(result, label) for result in results), str(number + 1) if more else None)

    async def _found(self, params: Mapping[str, str]) -> Mapping[str, object]:
        """Returns the answer. It gets a new token if the current one is refused."""
        token = await self._bearer()
        try:
            return await self._get(params, token)
        except KeyRefused:
            self._token_until = 0.0
            return await self._get(params, await self._bearer())

    async def _get(self, params: Mapping[str, str], token: str) -> Mapping[str, object]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await self._api.get("/v1/images/", params, headers=headers)

    async def _bearer(self) -> str:
        """Returns the client's token (RFC 6749, 4.4), renewed before it expires, or empty for anonymous callers."""
        if not self._known:
            return ""
        if self._clock.monotonic() < self._token_until:
            return self._token
        form = {
            "grant_type": "client_credentials",
            "client_id": self._access.client_id,
            "client_secret": self._access.client_secret,
        }
        answer = await self._api.post("/v1/auth_tokens/token/", urlencode(form).encode(), _FORM)
        token = text_of(answer.get("access_token"))
        if not token:
            raise self._api.misshapen()
        lifetime = float(integer_of(answer.get("expires_in")) or 0)
        self._token_until = self._clock.monotonic() + max(0.0, lifetime - _TOKEN_MARGIN_SECONDS)
        self._token = token
        return token


def _narrowed(config: OpenverseConfig) -> dict[str, str]:
    params: dict[str, str] = {}
    if config.license:
        params["license"] = ",".join(config.license)
    if config.license_type:
        params["license_type"] = config.license_type
    if config.mature:
        params["mature"] = "true"
    return params


def _candidate(result: object, label: str) -> Candidate | str:
    fields = mapping_of(result)
    url = url_of(fields.get("url"))
    if url is None:
        return "openverse: a result without a picture"
    found = normalize_license(text_of(fields.get("license")))
    version = text_of(fields.get("license_version"))
    # Openverse's own `attribution` is a sentence of these fields without the links to the work and its author
    return Candidate(
        url=url,
        label=label,
        provenance=Provenance(
            source="openverse",
            source_id=id_of(fields.get("id")),
            page_url=url_of(fields.get("foreign_landing_url")),
            title=text_of(fields.get("title")),
            creator=text_of(fields.get("creator")),
            creator_url=url_of(fields.get("creator_url")),
            license=found.code,
            license_version=version,
            license_url=url_of(fields.get("license_url")) or license_url(License(found.code, version)),
        ),
        caption=text_of(fields.get("title")),
        width=integer_of(fields.get("width")),
        height=integer_of(fields.get("height")),
    )
