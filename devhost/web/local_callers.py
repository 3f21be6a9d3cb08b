"""Who may call the host's own endpoints: programs of this machine, and no page that a browser has open.

Any page may send requests to loopback addresses: as a form or a plain text without asking (they carry its origin), and
under a name of its own that it has resolve to 127.0.0.1 (DNS rebinding; they carry that name as their host).
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import web

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def refusal(request: web.Request, hosts: Collection[str]) -> web.Response | None:
    """The answer to a request that has no business here; None where it may pass.

    It must name this machine as its host, by loopback, by the address that it came in on, or by one of `hosts`, must
    come from no other origin, and what it posts must be JSON.
    """
    name = _host_name(request.host)
    if name is None or name not in _LOOPBACK | {host.lower() for host in hosts} | _own_address(request):
        return web.Response(
            status=403, text=f"The host {request.host!r} is none of this one's names: see --admin-host."
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
    """The name or address in a Host header, without port and brackets."""
    try:
        parts = urlsplit(f"//{host}")
        valid = not (parts.username or parts.path or parts.query or parts.fragment) and parts.port != 0
    except ValueError:
        return None
    return parts.hostname if valid else None


def _own_address(request: web.Request) -> set[str]:
    """The address of this machine that the connection was made to."""
    found = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return {str(found[0]).lower()} if isinstance(found, tuple) else set()
