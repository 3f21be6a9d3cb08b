"""Holds the operation that the running code belongs to. Calls and messages carry it as a W3C trace context.

Format: https://www.w3.org/TR/trace-context/ (version 00). The correlation id is a name that the caller gives to a
request. It is carried together with the trace context.
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
    """The `traceparent` of the span that started something, and a correlation id. Messages and rows carry both.

    Both are empty if they are not known. They may come from outside. `operation` checks them before they are used.
    """

    traceparent: str = ""
    correlation_id: str = ""


NO_ORIGIN = Origin()


@dataclass(frozen=True, slots=True)
class Operation:
    """The operation that is running. `name` is that of the function. Ids are lower-case hex of 32 and 16 digits.

    `span_id` is the parent of the operation's items. Usually it is the span of the host's request. If `own_span` is
    true, it is a span that the app reports itself, and `parent_id` is the span above it, or empty. `job_id` is the job
    that the operation works for, or empty.
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
        """The origin that this operation's messages and rows carry."""
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
    """Runs the block as an operation within the span of `traceparent`. With `own_span`, it gets a span below that one.

    If `traceparent` is missing or not valid, the operation begins a new trace and has a span of its own. A correlation
    id that is missing or not valid is replaced by the trace's id.
    """
    match = _TRACEPARENT.fullmatch(traceparent or "")
    trace_id = match[1] if match else secrets.token_hex(16)
    above = match[2] if match else ""
    if correlation_id is None or not is_correlation_id(correlation_id):
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


def is_correlation_id(text: str) -> bool:
    """Returns whether the text is a correlation id that the app keeps: it may stand in a header and in a log line."""
    return _CORRELATION_ID.fullmatch(text) is not None


def current_operation() -> Operation | None:
    """Returns the operation in which the caller runs, or None outside of operations."""
    return _current.get()


def current_name(otherwise: str) -> str:
    """Returns the name of the operation in which the caller runs, or `otherwise` outside of operations."""
    current = _current.get()
    return current.name if current is not None else otherwise


@contextlib.contextmanager
def working_for(origin: Origin, job_id: str) -> Iterator[None]:
    """Makes the block's signals belong to a job that `origin` began, in the job's own trace if it has one."""
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
    """Returns the origin for whatever the caller starts."""
    current = _current.get()
    return current.origin if current is not None else NO_ORIGIN


def origin_within(started: Origin) -> Origin:
    """Returns the origin for a part of what `started` began, so that all parts are in one trace.

    It is that of the current operation if that is in the same trace. Otherwise it is `started` itself, for example if a
    timer sends a stalled job on.
    """
    current = _current.get()
    trace_id = trace_id_in(started.traceparent)
    return current.origin if current is not None and current.trace_id == trace_id else started


def trace_id_in(traceparent: str | None) -> str | None:
    """Returns the id of the trace, or None if the text is not a valid `traceparent`."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    return match[1] if match else None
