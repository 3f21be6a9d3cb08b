"""The code around every HTTP function: identifies callers, decodes input, encodes errors and reports telemetry."""

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import azure.functions as func
from pydantic import BaseModel

from functions.http.call import Answer, Call, Data, Text
from functions.http.callers import user_of
from functions.http.declared import Declared
from functions.http.edge.admission import Admission
from functions.http.edge.answer_headers import add_headers
from functions.http.edge.revalidation import etag_of, has_current
from functions.http.inputs import read_query
from functions.http.problems import problem_response
from functions.invocation import report_span
from functions.wake_ups import with_wake_ups
from shared.errors import AppError, Permanent, Retryable, Unavailable
from shared.telemetry import signals
from shared.telemetry.correlation import Operation, operation
from shared.wiring import App, app

_log = logging.getLogger(__name__)
_SERVER_ERROR = 500
# how long an answer waits at most until its telemetry is sent
_FLUSH_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Received:
    """A call as the host handed it over, before anybody knows who calls."""

    request: func.HttpRequest
    services: App
    operation: Operation
    admission: Admission


type Handler = Callable[[Call], Awaitable[Answer]]
type Serve = Callable[[Received], Awaitable[func.HttpResponse]]
type HttpFunction = Callable[[func.HttpRequest, func.Context], Awaitable[func.HttpResponse]]


class Endpoints:
    """The endpoints of a module: the blueprint that registers them, and their declarations and handlers by name."""

    def __init__(self) -> None:
        self.blueprint = func.Blueprint()
        self.declared: dict[str, Declared] = {}
        self.handlers: dict[str, Handler] = {}

    def serve(self, declared: Declared) -> Callable[[Handler], HttpFunction]:
        """Makes an HTTP function of a handler, and registers it.

        The host lets everybody call: the app itself checks who calls, and what the key allows.
        """

        def decorate(handler: Handler) -> HttpFunction:
            self.declared[handler.__name__] = declared
            self.handlers[handler.__name__] = handler
            # every path that answers GET answers HEAD, too: hosts leave the body out
            methods = ["GET", "HEAD"] if declared.method == "GET" else [declared.method]
            # the host gives a function without a route its name as one, and `/` is the root
            route = self.blueprint.route(
                route=declared.path or "/", methods=methods, auth_level=func.AuthLevel.ANONYMOUS
            )
            function = http_function(declared, handler)
            # a call that only reads sends no messages
            if declared.method != "GET":
                function = with_wake_ups(self.blueprint, function, lambda: app().settings.wake_queues)
            registered: HttpFunction = route(function)
            return registered

        return decorate


def http_function(declared: Declared, handler: Handler) -> HttpFunction:
    """The function that the host calls."""

    @functools.wraps(handler)
    async def serve(received: Received) -> func.HttpResponse:
        return await _serve(declared, handler, received)

    return reported(serve)


def reported(serve: Serve) -> HttpFunction:
    """The function that the host calls. It answers what `serve` answers or raises, and reports telemetry."""

    async def function(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        host = context.trace_context.trace_parent
        # the host's span belongs to the caller's trace if the caller sent one
        parent = host or req.headers.get("traceparent")
        correlation_id = req.headers.get("x-correlation-id")
        with operation(serve.__name__, traceparent=parent, correlation_id=correlation_id) as current:
            began = time.monotonic()
            counts = app().reports(current)
            admission = Admission(app(), req)
            try:
                with app().invocation():
                    response = await serve(Received(req, app(), current, admission))
                app().completed(current)
            except Exception as error:  # noqa: BLE001 - the one place where every error becomes an answer
                response = _refuse(error, serve.__name__, current)
                counts = counts or _is_fault(error)
            response.headers["X-Correlation-ID"] = current.correlation_id
            add_headers(response, req, app(), admission.headers())
            succeeded = response.status_code < _SERVER_ERROR
            report_span(app(), current, time.monotonic() - began, succeeded=succeeded, host=host)
            if counts or not succeeded:
                # the host may freeze this process once nothing runs in it
                await app().telemetry.flush(_FLUSH_SECONDS)
            return response

    # functools.wraps would also set the signature, and the worker needs that of `function`
    function.__name__ = serve.__name__
    function.__doc__ = serve.__doc__
    function.__module__ = serve.__module__
    return function


async def _serve(declared: Declared, handler: Handler, received: Received) -> func.HttpResponse:
    request, services = received.request, received.services
    try:
        async with asyncio.timeout(declared.within_seconds or services.answer_within_seconds):
            caller = await received.admission.admit(declared)
            user_id = user_of(request, declared, caller)
            query = read_query(request, declared.query)
            answer = await handler(Call(request, services, caller, received.operation, query, user_id))
    except TimeoutError:
        raise Unavailable(f"Storage did not answer in time. {declared.when_late}") from None
    except Retryable as error:
        raise Unavailable(f"{error.detail} {declared.when_late}") from error
    body = answer.body
    if isinstance(body, BaseModel):
        body = Text(body.model_dump_json(), "application/json")
    headers = dict(answer.headers)
    if body is None:
        return func.HttpResponse(status_code=answer.status, headers=headers)
    if isinstance(body, Data):
        return func.HttpResponse(
            body.data, status_code=answer.status, mimetype=body.mimetype, headers=headers
        )
    if declared.revalidates:
        headers |= {"ETag": etag_of(body.text), "Cache-Control": "private, no-cache"}
        if has_current(request, headers["ETag"]):
            return func.HttpResponse(status_code=304, headers=headers)
    return func.HttpResponse(body.text, status_code=answer.status, mimetype=body.mimetype, headers=headers)


def _refuse(error: Exception, name: str, current: Operation) -> func.HttpResponse:
    if _is_fault(error):
        # if telemetry reports the error with its stack, the log need not have the stack, too
        reported = app().telemetry.state().configured
        _log.error("%s failed: %s", name, type(error).__name__, exc_info=None if reported else error)
        signals.failure(app().telemetry, error, operation=name)
    elif isinstance(error, Retryable):
        _log.warning("%s: %s", name, error.detail)
    return problem_response(error, current.correlation_id)


def _is_fault(error: Exception) -> bool:
    """Returns whether an operator should see the error: storage that refuses the app is one, too."""
    return not isinstance(error, AppError) or isinstance(error, Permanent)
