"""The headers of every answer of the app, whatever it says."""

from collections.abc import Mapping
from typing import Final

import azure.functions as func

from functions.http.edge.cors import Cors
from functions.http.edge.security_headers import security_headers
from shared.wiring import App

_NEVER_STORED: Final = "no-store"
# what says who calls: a key, or the session or token of a sign-in
_OF_THE_CALLER: Final = ("X-API-Key", "Cookie", "Authorization")


def cors_of(services: App) -> Cors:
    """Returns which pages may call the app, by its settings."""
    settings = services.settings
    return Cors(settings.allowed_origins, settings.cors_allow_credentials)


def add_headers(
    response: func.HttpResponse, request: func.HttpRequest, services: App, more: Mapping[str, str]
) -> None:
    """Adds the headers that the answer does not have. `more` are those of this call."""
    every = {
        "Cache-Control": "no-store",
        **security_headers(request.url),
        **cors_of(services).headers(request.headers.get("Origin")),
        **more,
    }
    kept = response.headers.get("Cache-Control", _NEVER_STORED)
    # what is public is the same for every caller
    if kept != _NEVER_STORED and not kept.startswith("public"):
        every["Vary"] = ", ".join([*filter(None, [every.get("Vary")]), *_OF_THE_CALLER])
    for name, value in every.items():
        response.headers.setdefault(name, value)
