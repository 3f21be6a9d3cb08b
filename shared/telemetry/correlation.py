"""The operation that the running code belongs to, carried over calls and queues as W3C trace context.

Format: https://www.w3.org/TR/trace-context/ (version 00). The correlation id is the caller's own word for it.
"""

import contextlib
import re
import secrets
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Operation:
    """What is going on: `name` of the function, ids in lower-case hex (32 and 16 digits)."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    correlation_id: str

    @property
    def traceparent(self) -> str:
        """The W3C header that what this operation starts should carry."""
        return f"00-{self.trace_id}-{self.span_id}-01"


_current: ContextVar[Operation | None] = ContextVar("operation", default=None)


@contextlib.contextmanager
def operation(
    name: str, *, traceparent: str | None = None, correlation_id: str | None = None
) -> Iterator[Operation]:
    """Run the block as an operation: a child of `traceparent` where that is valid, else the first of its trace."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    known = match is not None and set(match[1]) != {"0"} and set(match[2]) != {"0"}
    trace_id = match[1] if match is not None and known else secrets.token_hex(16)
    parent_id = match[2] if match is not None and known else ""
    if correlation_id is None or _CORRELATION_ID.fullmatch(correlation_id) is None:
        correlation_id = trace_id
    entered = Operation(name, trace_id, secrets.token_hex(8), parent_id, correlation_id)
    token = _current.set(entered)
    try:
        yield entered
    finally:
        _current.reset(token)


def current_operation() -> Operation | None:
    """The operation that the caller runs in; None outside of all."""
    return _current.get()
