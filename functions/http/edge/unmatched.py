"""Answers calls that no endpoint takes: unknown paths, methods that a path does not have, and OPTIONS.

The host tries the functions in the order of their names and runs the first one that takes the path and the method. So
the name of this function must be the last one of all.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final
from urllib.parse import urlsplit

import azure.functions as func

from functions.http.declared import PUBLIC, Declared
from functions.http.edge.answer_headers import cors_of
from functions.http.edge.routes import Routes
from functions.http.endpoint import Endpoints, Received, reported
from functions.http.problems import MethodNotAllowed
from shared.errors import NotFound
from shared.wiring import App

METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
NAME: Final = "zz_unmatched"
_PATH: Final = "{*path}"
_ANY = Declared("GET", _PATH, {}, scope=PUBLIC)


def unmatched(modules: Iterable[Endpoints]) -> func.Blueprint:
    """Returns the function for all calls that the endpoints of these modules do not take."""
    routes = Routes(list(chain.from_iterable(module.declared.values() for module in modules)))

    async def zz_unmatched(received: Received) -> func.HttpResponse:
        """Answers 404, 405 with the methods that the path has, or what a browser asks about calls of other origins."""
        request = received.request
        allowed = routes.methods(urlsplit(request.url).path)
        if request.method == "OPTIONS" and allowed:
            return _options(received.services, request, allowed)
        await received.admission.admit(_ANY)
        if allowed:
            detail = f"This path does not have the method {request.method}; it has: {', '.join(allowed)}."
            raise MethodNotAllowed(detail, allowed)
        raise NotFound("There is nothing at this path.")

    blueprint = func.Blueprint()
    register = blueprint.route(route=_PATH, methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
    register(reported(zz_unmatched))
    return blueprint


def _options(services: App, request: func.HttpRequest, allowed: Sequence[str]) -> func.HttpResponse:
    origin, asked = request.headers.get("Origin"), request.headers.get("Access-Control-Request-Method")
    headers = {"Allow": ", ".join(allowed), **cors_of(services).preflight(origin, asked, allowed)}
    return func.HttpResponse(status_code=204, headers=headers)
