"""Makes the description of the API in OpenAPI 3.1 from the declarations of the endpoints."""

import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from functions.http.description.operations import (
    KEY_SCHEME,
    SIGN_IN_SCHEME,
    Operations,
    body_model,
    reply_models,
)
from functions.http.description.problems import Problems
from functions.http.description.schemas import Direction, Schemas
from functions.http.description.texts import first_sentence
from functions.http.endpoint import Endpoints
from functions.http.modules import MODULES
from functions.http.problems import Problem
from shared.sources.source import SourceKind
from shared.wiring import App

_making = threading.Lock()
_DESCRIPTION = (
    "Makes clean, labelled, licensed image datasets from keywords, lists of addresses, and websites."
)
_KEY = (
    "The key of a user, or of the app's administrator. An operation names the scope that the key must have."
)
_SCHEMES = {KEY_SCHEME: {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": _KEY}}
# https://learn.microsoft.com/azure/app-service/configure-authentication-customize-sign-in-out
_SIGN_IN = {
    SIGN_IN_SCHEME: {
        "type": "apiKey",
        "in": "cookie",
        "name": "AppServiceAuthSession",
        "description": "The session of a person who has signed in with App Service authentication, at "
        "`/.auth/login/{provider}`. It allows what a key with the scopes `read` and `submit` allows.",
    }
}
_CORRELATION_ID = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"}
_PARAMETERS = {
    "X-Correlation-ID": {
        "name": "X-Correlation-ID",
        "in": "header",
        "description": "The caller's own name of the call, which the answer and the app's telemetry repeat. A text "
        "with others than letters, digits, `.`, `_` and `-` is replaced.",
        "schema": _CORRELATION_ID,
    }
}
_HEADERS = {
    "X-Correlation-ID": {
        "description": "The name of the call in the app's telemetry.",
        "required": True,
        "schema": _CORRELATION_ID,
    },
    "RateLimit": {
        "description": "What is left of each limit: `r` calls, and `t` seconds until the minute ends or, if no call is "
        "left, until one more is possible. Health checks have no limits.",
        "schema": {"type": "string"},
        "example": '"user";r=59;t=30',
    },
    "RateLimit-Policy": {
        "description": "Each limit: `q` calls in `w` seconds.",
        "schema": {"type": "string"},
        "example": '"user";q=60;w=60',
    },
    "Retry-After": {
        "description": "After how many seconds to try again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate.",
        "required": True,
        "schema": {"type": "string"},
    },
}


def description_of(app: App) -> str:
    """Returns the description of the app's API as JSON. It is made once, which takes a part of a second.

    Call it in a thread. Threads that ask at the same time wait for the one that makes it.
    """
    with _making:
        return _made(app)


@lru_cache(maxsize=1)
def _made(app: App) -> str:
    document = describe(MODULES, app.source_kinds, app.version, has_sign_in=app.settings.trusts_sign_in)
    return json.dumps(document, ensure_ascii=False)


def describe(
    modules: Mapping[str, Endpoints],
    kinds: Mapping[str, SourceKind],
    version: str,
    *,
    has_sign_in: bool = False,
) -> dict[str, Any]:
    """Returns the description of the endpoints of modules, by the modules' names.

    If the app `has_sign_in`, people can call without a key what those may call who have signed in.
    """
    schemas = Schemas(_models(list(modules.values())), kinds)
    problems = Problems(schemas.place(Problem, "serialization"))
    operations = Operations(schemas, problems, has_sign_in=has_sign_in)
    paths: dict[str, dict[str, Any]] = {}
    for tag, module in modules.items():
        for path, method, operation in operations.paths(module, tag):
            paths.setdefault(path, {})[method] = operation
    return {
        "openapi": "3.1.1",
        "info": {"title": "PixCrawler", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, "description": _purpose(module)} for tag, module in modules.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": problems.components,
            "parameters": _PARAMETERS,
            "headers": _HEADERS,
            "securitySchemes": _SCHEMES | (_SIGN_IN if has_sign_in else {}),
        },
    }


def _models(modules: Sequence[Endpoints]) -> Iterator[tuple[type[BaseModel], Direction]]:
    yield Problem, "serialization"
    for declared in (declared for module in modules for declared in module.declared.values()):
        body = body_model(declared)
        if body is not None:
            yield body, "validation"
        for model in reply_models(declared):
            yield model, "serialization"


def _purpose(module: Endpoints) -> str:
    """Returns what the module says of itself."""
    handler = next(iter(module.handlers.values()))
    return first_sentence(sys.modules[handler.__module__].__doc__)
