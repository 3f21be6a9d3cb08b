"""Cross-origin requests, which `Host.CORS` and `Host.CORSCredentials` of local.settings.json allow."""

from aiohttp import web

from devhost.settings import HostSettings


def is_preflight(request: web.Request, settings: HostSettings) -> bool:
    """Returns whether a request is the preflight request of a browser from an allowed origin."""
    asked = "access-control-request-method" in request.headers
    return request.method == "OPTIONS" and asked and bool(_allowed(request, settings))


def allow(request: web.Request, response: web.StreamResponse, settings: HostSettings) -> None:
    """Allows the request's origin to read a response, if the settings allow it."""
    origin = _allowed(request, settings)
    if not origin:
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    if origin != "*":
        vary = response.headers.get("Vary")
        response.headers["Vary"] = f"{vary}, Origin" if vary else "Origin"
    if settings.cors_credentials and origin != "*":
        response.headers["Access-Control-Allow-Credentials"] = "true"


def preflight(request: web.Request) -> web.Response:
    """Returns the answer to a preflight request."""
    headers = {
        "Access-Control-Allow-Methods": request.headers["access-control-request-method"],
        "Access-Control-Allow-Headers": request.headers.get("access-control-request-headers", "*"),
    }
    return web.Response(status=204, headers=headers)


def _allowed(request: web.Request, settings: HostSettings) -> str:
    origin = request.headers.get("origin", "")
    if origin and "*" in settings.cors:
        return "*"
    return origin if origin in settings.cors else ""
