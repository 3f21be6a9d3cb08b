"""Defines HTTP for the domain: one exchange at a time, with limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

# the statuses of RFC 9110, 15.4, that name another address
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class WebRequest:
    """Describes one exchange.

    Bodies are decompressed within `max_bytes`. A longer body is an error, or it is cut there with `cut_at_max_bytes`.

    The redirects of a GET are followed, and every hop is guarded. Without `follow_redirects` a redirect is returned
    like any other response. `secret_params` are part of the query like `params`, but they are sent to the request's
    own origin only and never shown.
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
    """Holds the response, whatever its status. `url` is the last hop's, without secrets. Header names are lower case.

    `robots_tags`, `tdm_reservations`, `content_usages` and `links` are the values of all headers X-Robots-Tag,
    tdm-reservation, Content-Usage and Link. To join them would change their meaning.
    """

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes
    robots_tags: tuple[str, ...] = ()
    tdm_reservations: tuple[str, ...] = ()
    content_usages: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


class WebClient(Protocol):
    """Makes HTTP exchanges for sources and webhooks; images have their own fetcher in `shared.crawling`."""

    async def send(self, request: WebRequest) -> WebResponse:
        """Makes the exchange.

        Raises:
            Unavailable: no whole response came in time (refused, reset, timed out, cut off).
            Permanent: the address may not be called or is not a URL, or the response exceeds `max_bytes` or redirects
                in circles.
        """
        ...
