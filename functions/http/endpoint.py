"""What every HTTP function shares: identity, decoding, one form of errors, correlation, telemetry."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import azure.functions as func
from pydantic import BaseModel

from functions.http.inputs import header_in, number_in, read_query, wrong_value
from functions.http.problems import problem_response
from functions.invocation import report_span
from shared.errors import AppError, InvalidRequest, NotFound, Retryable, Unavailable
from shared.ids import is_plain_id
from shared.storage.newest_first import Listing, is_place
from shared.telemetry import signals
from shared.telemetry.correlation import Operation, operation
from shared.text.strict_json import read_json
from shared.users.caller import Caller
from shared.wiring import App, app

_log = logging.getLogger(__name__)
_MAX_PAGE = 100
_SERVER_ERROR = 500
_LARGE_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call whose caller is known, and the app that serves it."""

    request: func.HttpRequest
    app: App
    caller: Caller
    operation: Operation
    query: Mapping[str, str]

    def route(self, name: str) -> str:
        """An identifier in the path.

        Raises:
            NotFound: nothing can have such an identifier.
        """
        value = self.request.route_params.get(name) or ""
        if not is_plain_id(value):
            raise NotFound("There is nothing at this path.")
        return value

    def header(self, name: str, most_characters: int) -> str | None:
        """See `header_in`."""
        return header_in(self.request, name, most_characters)

    async def read[T](self, parse: Callable[[object], T]) -> T:
        """What `parse` makes of the decoded body. A large one takes a second: that is a thread's, not all calls'.

        Raises:
            InvalidRequest: it is too large, or not JSON as `read_json` has it, or `parse` refuses it.
        """
        from shared.jobs.spec.spec import MAX_SPEC_BYTES

        body = self.request.get_body()
        if len(body) > MAX_SPEC_BYTES:
            raise InvalidRequest(f"The body exceeds {MAX_SPEC_BYTES:,} bytes.")
        if not body:
            raise InvalidRequest("The body is empty; send JSON with a Content-Length.")
        if len(body) > _LARGE_BYTES:
            return await asyncio.to_thread(lambda: parse(read_json(body, "The body")))
        return parse(read_json(body, "The body"))

    async def page[Item](
        self, path: str, read: Callable[[str, str, int], Awaitable[Listing[Item]]]
    ) -> tuple[Sequence[Item], str | None]:
        """The caller's items behind `cursor`, at most `limit` (1 to 100, else 20), and the path of the next page.

        Raises:
            InvalidRequest: `limit` is no such number, or no list returns such a cursor.
        """
        size = number_in(self.query, "limit", 1, _MAX_PAGE, 20)
        place = self.query.get("cursor")
        if place is not None and not is_place(place):
            raise wrong_value("cursor", place, "must be the cursor in the `next` of a list")
        found = await read(self.caller.user_id, place or "", size)
        more = f"{path}?limit={size}&cursor={found.more_after}" if found.more_after else None
        return found.items, more


@dataclass(frozen=True, slots=True)
class Text:
    """A body that is encoded already, as text of some media type."""

    text: str
    mimetype: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers: a model to be encoded as JSON, or text; a status, headers."""

    body: BaseModel | Text
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


type Handler = Callable[[Call], Awaitable[Answer]]
type HttpFunction = Callable[[func.HttpRequest, func.Context], Awaitable[func.HttpResponse]]


@dataclass(frozen=True, slots=True)
class _Endpoint:
    handler: Handler
    public: bool
    query: Collection[str]
    when_late: str
    within_seconds: float | None


def endpoint(
    *,
    public: bool = False,
    query: Collection[str] = (),
    when_late: str = "Try again.",
    within_seconds: float | None = None,
) -> Callable[[Handler], HttpFunction]:
    """Make an HTTP function of a handler. Every call needs an API key, unless the endpoint is public.

    It takes the query parameters `query`, and no others. Every call is answered within ten seconds: with 503 where
    storage does not answer in time. `when_late` then says what the caller should do, as the call may have taken effect.
    A call that reads what takes longer may have another limit, `within_seconds`.
    """

    def decorate(handler: Handler) -> HttpFunction:
        served = _Endpoint(handler, public, query, when_late, within_seconds)

        async def function(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
            host = context.trace_context.trace_parent
            # the host's span belongs to the caller's trace where the caller named one
            parent = host or req.headers.get("traceparent")
            wanted = req.headers.get("x-correlation-id")
            with operation(handler.__name__, traceparent=parent, correlation_id=wanted) as current:
                began = time.monotonic()
                try:
                    with app().invocation():
                        response = await _serve(served, req, current)
                except Exception as error:  # noqa: BLE001 - the one place where every error becomes an answer
                    response = _refuse(error, handler.__name__, current)
                response.headers["X-Correlation-ID"] = current.correlation_id
                succeeded = response.status_code < _SERVER_ERROR
                report_span(app(), current, time.monotonic() - began, succeeded=succeeded, host=host)
                return response

        # not functools.wraps: the worker reads the signature of what it is given, and must not see the handler's
        function.__name__ = handler.__name__
        function.__doc__ = handler.__doc__
        function.__module__ = handler.__module__
        return function

    return decorate


async def _serve(served: _Endpoint, req: func.HttpRequest, current: Operation) -> func.HttpResponse:
    services = app()
    public = served.public
    try:
        async with asyncio.timeout(served.within_seconds or services.answer_within_seconds):
            key = req.headers.get("x-api-key")
            caller = Caller.anonymous() if public else await services.access.identify(key)
            call = Call(req, services, caller, current, read_query(req, served.query))
            answer = await served.handler(call)
    except TimeoutError:
        raise Unavailable(f"Storage did not answer in time. {served.when_late}") from None
    except Retryable as error:
        raise Unavailable(f"{error.detail} {served.when_late}") from error
    if not public:
        services.completed(current)
    body = answer.body
    if isinstance(body, BaseModel):
        body = Text(body.model_dump_json(), "application/json")
    return func.HttpResponse(
        body.text,
        status_code=answer.status,
        mimetype=body.mimetype,
        headers={"Cache-Control": "no-store", **answer.headers},
    )


def _refuse(error: Exception, name: str, current: Operation) -> func.HttpResponse:
    if not isinstance(error, AppError):
        _log.error("%s failed", name, exc_info=error)
        signals.failure(app().telemetry, error, operation=name)
    elif isinstance(error, Retryable):
        _log.warning("%s: %s", name, error.detail)
    return problem_response(error, current.correlation_id)
