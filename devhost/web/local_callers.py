"""Protects the host's endpoints: only programs on this machine may call them, not pages in a browser.

Any page can send requests to loopback addresses. As a form or as plain text it needs no preflight, but the request has
the page's origin. With a name of its own that resolves to 127.0.0.1 (DNS rebinding), the request has that name as its
host.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import web

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def refusal(request: web.Request, hosts: Collection[str]) -> web.Response | None:
    """Returns the answer to a request that is refused, or None for a request that is allowed.

    An allowed request names this machine as its host: by loopback, by the address of its connection, or by one of
    `hosts`. It does not come from another origin, and a POST is JSON.
    """
    name = _host_name(request.host)
    if name is None or name not in _LOOPBACK | {host.lower() for host in hosts} | _own_address(request):
        return web.Response(
            status=403, text=f"The host {request.host!r} is not a name of this machine: see --admin-host."
        )
    origin = request.headers.get("origin")
    if origin is not None and origin.lower() != f"{request.scheme}://{request.host}".lower():
        return web.Response(status=403, text=f"Pages of {origin!r} may not call the host's own endpoints.")
    if request.headers.get("sec-fetch-site", "none").lower() not in {"none", "same-origin"}:
        return web.Response(status=403, text="Pages of other sites may not call the host's own endpoints.")
    if request.method == "POST" and request.content_type != "application/json":
        return web.Response(status=415, text="Send JSON, as application/json.")
    return None


def _host_name(host: str) -> str | None:
    """Returns the name or address in a Host header without port and brackets, or None if it is not valid."""
    try:
        parts = urlsplit(f"//{host}")
        valid = not (parts.username or parts.path or parts.query or parts.fragment) and parts.port != 0
    except ValueError:
        return None
    return parts.hostname if valid else None


def _own_address(request: web.Request) -> set[str]:
    """Returns the address of this machine to which the connection was made."""
    found = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return {str(found[0]).lower()} if isinstance(found, tuple) else set()
