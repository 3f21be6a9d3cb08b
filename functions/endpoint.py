"""What every HTTP function shares: identity, decoding, one form of errors, correlation, telemetry."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import azure.functions as func
from pydantic import BaseModel

from functions.problems import problem_response
from shared.errors import AppError, FieldError, InvalidRequest, NotFound
from shared.ids import is_plain_id
from shared.jobs.spec import MAX_SPEC_BYTES
from shared.strict_json import read_json
from shared.telemetry import signals
from shared.telemetry.correlation import Operation, operation
from shared.users.access import Caller
from shared.wiring import App, app

_log = logging.getLogger(__name__)
_MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call whose caller is known, and the app that serves it."""

    request: func.HttpRequest
    app: App
    caller: Caller
    operation: Operation

    def route(self, name: str) -> str:
        """An identifier in the path."""
        value = self.request.route_params.get(name) or ""
        if not is_plain_id(value):  # no such thing can exist, and storage need not see it
            raise NotFound("There is nothing at this path.")
        return value

    def header(self, name: str) -> str | None:
        """A header's value; None where it is absent or empty."""
        return self.request.headers.get(name) or None

    def json(self) -> object:
        """The decoded body.

        Raises:
            InvalidRequest: it is too large, or not JSON as `read_json` has it.
        """
        body = self.request.get_body()
        if len(body) > MAX_SPEC_BYTES:
            raise InvalidRequest(f"The body exceeds {MAX_SPEC_BYTES:,} bytes.")
        if not body:
            raise InvalidRequest("The body is empty; send JSON with a Content-Length.")
        return read_json(body, "The body")

    def page_size(self) -> int:
        """How many items a list answers with: `limit`, 1 to 100, 20 where it is not given."""
        text = self.request.params.get("limit", "20")
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= _MAX_PAGE:
            wrong = FieldError("limit", f"must be a whole number from 1 to {_MAX_PAGE}")
            raise InvalidRequest("The query is not valid.", (wrong,))
        return int(text)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers: a model to be encoded, a status, headers."""

    body: BaseModel
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


type Handler = Callable[[Call], Awaitable[Answer]]
type HttpFunction = Callable[[func.HttpRequest, func.Context], Awaitable[func.HttpResponse]]


def endpoint(*, public: bool = False) -> Callable[[Handler], HttpFunction]:
    """Make an HTTP function of a handler. Every call needs an API key, unless the endpoint is public."""

    def decorate(handler: Handler) -> HttpFunction:
        async def function(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
            # the host's own span, within the caller's trace where the caller named one
            parent = context.trace_context.trace_parent or req.headers.get("traceparent")
            wanted = req.headers.get("x-correlation-id")
            with operation(handler.__name__, traceparent=parent, correlation_id=wanted) as current:
                try:
                    response = await _serve(handler, req, current, public=public)
                except Exception as error:  # noqa: BLE001 - the one place where every error becomes an answer
                    response = _refuse(error, handler.__name__, current)
                response.headers["X-Correlation-ID"] = current.correlation_id
                return response

        # not functools.wraps: the worker reads the signature of what it is given, and must not see the handler's
        function.__name__ = handler.__name__
        function.__doc__ = handler.__doc__
        function.__module__ = handler.__module__
        return function

    return decorate


async def _serve(
    handler: Handler, req: func.HttpRequest, current: Operation, *, public: bool
) -> func.HttpResponse:
    services = app()
    caller = Caller.anonymous() if public else services.access.identify(req.headers.get("x-api-key"))
    answer = await handler(Call(req, services, caller, current))
    if not public:
        services.completed(current)
    return func.HttpResponse(
        answer.body.model_dump_json(),
        status_code=answer.status,
        mimetype="application/json",
        headers={"Cache-Control": "no-store", **answer.headers},
    )


def _refuse(error: Exception, name: str, current: Operation) -> func.HttpResponse:
    if not isinstance(error, AppError):
        _log.error("%s failed", name, exc_info=error)
        signals.failure(app().telemetry, error, operation=name)
    return problem_response(error, current.correlation_id)
