"""The code around every HTTP function: identifies callers, decodes input, encodes errors and reports telemetry."""

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
    """One HTTP call of an identified caller, and the app that serves it."""

    request: func.HttpRequest
    app: App
    caller: Caller
    operation: Operation
    query: Mapping[str, str]

    def route(self, name: str) -> str:
        """Returns an identifier from the path.

        Raises:
            NotFound: the identifier is not valid, so nothing has it.
        """
        value = self.request.route_params.get(name) or ""
        if not is_plain_id(value):
            raise NotFound("There is nothing at this path.")
        return value

    def header(self, name: str, most_characters: int) -> str | None:
        """See `header_in`."""
        return header_in(self.request, name, most_characters)

    async def read[T](self, parse: Callable[[object], T]) -> T:
        """Decodes the body as JSON and returns what `parse` makes of it.

        A large body is decoded in a thread, because it may take a second, and other calls must not wait.

        Raises:
            InvalidRequest: the body is empty, too large or not valid JSON (see `read_json`), or `parse` refuses it.
        """
        from shared.jobs.spec.spec import MAX_SPEC_BYTES

        body = self.request.get_body()
        if len(body) > MAX_SPEC_BYTES:
            raise InvalidRequest(
                f"The body has {len(body):,} bytes; it must have at most {MAX_SPEC_BYTES:,}."
            )
        if not body:
            raise InvalidRequest("The body is empty; it must be JSON, sent with a Content-Length.")
        if len(body) > _LARGE_BYTES:
            return await asyncio.to_thread(lambda: parse(read_json(body, "The body")))
        return parse(read_json(body, "The body"))

    async def page[Item](
        self, path: str, read: Callable[[str, str, int], Awaitable[Listing[Item]]]
    ) -> tuple[Sequence[Item], str | None]:
        """Reads a page of the caller's items by the query's `limit` (1 to 100, 20 by default) and `cursor`.

        Returns:
            The items after `cursor`, and the path of the next page, or None on the last page.

        Raises:
            InvalidRequest: `limit` or `cursor` is not valid.
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
    """A body that is already encoded as text of a media type."""

    text: str
    mimetype: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a handler. A model as its body is encoded as JSON."""

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
    """Makes an HTTP function from a handler. Every call needs an API key, unless the endpoint is public.

    The call accepts the query parameters `query`, and no others. It is answered within ten seconds, or within
    `within_seconds`: with 503 if storage does not answer in time. The call may have taken effect then, so `when_late`
    says in the error what the caller should do.
    """

    def decorate(handler: Handler) -> HttpFunction:
        served = _Endpoint(handler, public, query, when_late, within_seconds)

        async def function(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
            host = context.trace_context.trace_parent
            # the host's span belongs to the caller's trace if the caller sent one
            parent = host or req.headers.get("traceparent")
            correlation_id = req.headers.get("x-correlation-id")
            with operation(handler.__name__, traceparent=parent, correlation_id=correlation_id) as current:
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

        # functools.wraps would also set the signature, and the worker needs that of `function`
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
