"""HTTP as the domain sees it: one bounded exchange at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WebRequest:
    """One exchange to make. Redirects are followed, every hop guarded; bodies are decompressed within `max_bytes`.

    `secret_params` are part of the query like `params`, but are for the request's own origin only, and never shown.
    """

    url: str
    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    secret_params: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    max_bytes: int = 8_000_000
    timeout_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class WebResponse:
    """What came back, whatever its status. `url` is the last hop's, without secrets; header names are lower case."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes


class WebClient(Protocol):
    """Makes HTTP exchanges for sources and webhooks; images have their own fetcher in `shared.crawling`."""

    async def send(self, request: WebRequest) -> WebResponse:
        """Make the exchange.

        Raises:
            Unavailable: no whole answer within the limits (refused, reset, timed out, too large).
            Permanent: the address is not one that may be called, or not a URL at all.
        """
        ...
