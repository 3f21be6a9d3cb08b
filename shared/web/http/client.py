"""HTTP as the domain sees it: one bounded exchange at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

# RFC 9110, 15.4: those that say where else to ask
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class WebRequest:
    """One exchange to make.

    Bodies are decompressed within `max_bytes`; a longer one is an error, or with `cut_at_max_bytes` cut off there.

    A GET's redirects are followed, every hop guarded; without `follow_redirects` they are answers like others.
    `secret_params` are part of the query like `params`, but are for the request's own origin only, and never shown.
    """

    url: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    secret_params: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    max_bytes: int = 8_000_000
    cut_at_max_bytes: bool = False
    timeout_seconds: float = 30.0
    follow_redirects: bool = True


@dataclass(frozen=True, slots=True)
class WebResponse:
    """What came back, whatever its status. `url` is the last hop's, without secrets; header names are lower case.

    `robots_tags` are the values of all X-Robots-Tag headers, which mean something else when they are joined.
    """

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes
    robots_tags: tuple[str, ...] = ()


class WebClient(Protocol):
    """Makes HTTP exchanges for sources and webhooks; images have their own fetcher in `shared.crawling`."""

    async def send(self, request: WebRequest) -> WebResponse:
        """Make the exchange.

        Raises:
            Unavailable: no whole answer in time (refused, reset, timed out, cut off).
            Permanent: the address is not one that may be called, or not a URL at all; or its answer exceeds
                `max_bytes`, or leads in circles.
        """
        ...
