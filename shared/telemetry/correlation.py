"""The operation that the running code belongs to, carried over calls and queues as W3C trace context.

Format: https://www.w3.org/TR/trace-context/ (version 00). The correlation id is the caller's own name for what it asked
for; it goes wherever the trace goes.
"""

import contextlib
import re
import secrets
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Origin:
    """What started something, as messages and rows carry it: the `traceparent` of a span, and a correlation id.

    Both are empty where nothing is known. They may come from outside: only `operation` reads them, and checks them.
    """

    traceparent: str = ""
    correlation_id: str = ""


NO_ORIGIN = Origin()


@dataclass(frozen=True, slots=True)
class Operation:
    """What is going on: `name` is that of the function, ids are lower-case hex (32 and 16 digits).

    `span_id` is the span that all of the operation's items belong to. It is the span of the host's request. Where the
    operation has a span of its own (`own_span`), the app reports that span, and `parent_id` is the one above, empty
    where there is none. `job_id` is the job that the operation works for, where that is known.
    """

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    correlation_id: str
    own_span: bool = False
    job_id: str = ""

    @property
    def origin(self) -> Origin:
        """What the messages and rows carry that this operation writes."""
        return Origin(f"00-{self.trace_id}-{self.span_id}-01", self.correlation_id)


_current: ContextVar[Operation | None] = ContextVar("operation", default=None)


@contextlib.contextmanager
def operation(
    name: str,
    *,
    traceparent: str | None = None,
    correlation_id: str | None = None,
    own_span: bool = False,
    job_id: str = "",
) -> Iterator[Operation]:
    """Run the block as an operation within the span that `traceparent` names, or in an `own_span` below it.

    Where it names none, the operation is the first of a new trace, with a span of its own. A correlation id that is not
    safe is replaced by the trace's id.
    """
    match = _TRACEPARENT.fullmatch(traceparent or "")
    trace_id = match[1] if match else secrets.token_hex(16)
    above = match[2] if match else ""
    if correlation_id is None or _CORRELATION_ID.fullmatch(correlation_id) is None:
        correlation_id = trace_id
    if own_span or not above:
        entered = Operation(name, trace_id, secrets.token_hex(8), above, correlation_id, True, job_id)
    else:
        entered = Operation(name, trace_id, above, "", correlation_id, job_id=job_id)
    token = _current.set(entered)
    try:
        yield entered
    finally:
        _current.reset(token)


def current_operation() -> Operation | None:
    """The operation that the caller runs in; None outside of all."""
    return _current.get()


def current_name(otherwise: str) -> str:
    """The name of the operation that the caller runs in."""
    current = _current.get()
    return current.name if current is not None else otherwise


@contextlib.contextmanager
def working_for(origin: Origin, job_id: str) -> Iterator[None]:
    """Let what the block emits belong to a job that `origin` began, whichever operation works for it."""
    current = _current.get()
    match = _TRACEPARENT.fullmatch(origin.traceparent)
    if match is not None and (current is None or current.trace_id != match[1]):
        with operation(
            current_name("job"),
            traceparent=origin.traceparent,
            correlation_id=origin.correlation_id,
            job_id=job_id,
        ):
            yield
        return
    token = _current.set(replace(current, job_id=job_id) if current is not None else None)
    try:
        yield
    finally:
        _current.reset(token)


def current_origin() -> Origin:
    """What is to be carried by whatever the caller starts."""
    current = _current.get()
    return current.origin if current is not None else NO_ORIGIN


def origin_within(started: Origin) -> Origin:
    """As `current_origin`, for a part of what `started` began.

    Where the caller runs in another trace, as a timer does that sends a stalled job on, it is `started` itself. So all
    parts stay in one trace.
    """
    current = _current.get()
    trace_id = trace_id_in(started.traceparent)
    return current.origin if current is not None and current.trace_id == trace_id else started


def trace_id_in(traceparent: str | None) -> str | None:
    """The id of the trace; None where the text is no `traceparent`."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    return match[1] if match else None
