"""Implements WebClient with aiohttp."""

import asyncio

import aiohttp

from shared.errors import InvalidRequest, Permanent, Unavailable
from shared.web.addresses.guard import why_forbidden
from shared.web.addresses.urls import parse_url, redirect_url
from shared.web.http.client import REDIRECT_STATUSES, WebRequest, WebResponse
from shared.web.http.head_reader import limit_in
from shared.web.http.response_heads import unread_coding
from shared.web.http.session import Sessions

_MAX_REDIRECTS = 5
_SECRETS = frozenset({"authorization", "x-subscription-token", "cookie"})


class AiohttpWebClient:
    """Implements `WebClient`.

    Secrets do not follow a redirect to another origin, and only GET requests are redirected.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def send(self, request: WebRequest) -> WebResponse:
        """See `WebClient.send`."""
        try:
            async with asyncio.timeout(request.timeout_seconds):
                return await self._follow(request)
        except InvalidRequest as error:
            raise Permanent(error.detail) from None
        except TimeoutError:
            raise Unavailable(f"{_host(request)} did not answer in time.") from None
        except (aiohttp.ClientError, OSError) as error:
            forbidden = why_forbidden(error)
            if forbidden is not None:
                raise Permanent(f"{forbidden[0].upper()}{forbidden[1:]}.") from None
            limit = limit_in(error)
            if limit is not None:
                raise Unavailable(f"The service's answer is not read: {limit}.") from None
            # this is not `from error`: aiohttp's texts quote the URL, and the URL may hold a key
            raise Unavailable(f"{_host(request)} could not be reached ({type(error).__name__}).") from None
        except ValueError:
            raise Unavailable("The service redirects to something that is no URL.") from None

    async def _follow(self, request: WebRequest) -> WebResponse:
        url = parse_url(request.url)
        if request.params or request.secret_params:
            url = url.update_query({**request.params, **request.secret_params})
        headers = dict(request.headers)
        for _ in range(_MAX_REDIRECTS + 1):
            async with self._sessions.get().request(
                request.method, url, headers=headers, data=request.body, allow_redirects=False
            ) as response:
                location = response.headers.get("location")
                followed = request.follow_redirects and request.method == "GET"
                if response.status not in REDIRECT_STATUSES or location is None or not followed:
                    shown = response.url.without_query_params(*request.secret_params)
                    return await _read(response, str(shown), request)
            following = redirect_url(url, location)
            if following.origin() != url.origin():
                headers = {key: value for key, value in headers.items() if key.lower() not in _SECRETS}
                following = following.without_query_params(*request.secret_params)
            url = following
        raise Permanent("The service redirects in circles.")


def _host(request: WebRequest) -> str:
    """Returns the host of a request, for errors. Path and query may hold a key, so they are left out."""
    return parse_url(request.url).host or "The service"


async def _read(response: aiohttp.ClientResponse, url: str, request: WebRequest) -> WebResponse:
    unread = unread_coding(response.headers.get("content-encoding", ""))
    if unread is not None:
        raise Unavailable(f"The service's answer is not read: its content-encoding is {unread}.")
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > request.max_bytes:
            if not request.cut_at_max_bytes:
                raise Permanent(f"The answer exceeds {request.max_bytes:,} bytes.")
            del body[request.max_bytes :]
            break
    headers = {key.lower(): value for key, value in response.headers.items()}
    tags, reservations, usages, links = (
        tuple(response.headers.getall(name, ()))
        for name in ("x-robots-tag", "tdm-reservation", "content-usage", "link")
    )
    return WebResponse(response.status, url, headers, bytes(body), tags, reservations, usages, links)
