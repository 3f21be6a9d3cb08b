"""The data that host and workers exchange: functions, invocations and outcomes."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TRACE_PARENT = re.compile(r"00-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})")


def new_guid() -> str:
    """Returns a random identifier in the form of a GUID."""
    digits = secrets.token_hex(16)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def span_in(trace_parent: str) -> tuple[str, str]:
    """Makes a new span in the caller's trace, or in a new trace if `trace_parent` is not valid.

    Returns:
        The new span as a `traceparent` (W3C Trace Context, version 00), and the id of the caller's span, which is empty
        in a new trace.
    """
    match = _TRACE_PARENT.fullmatch(trace_parent)
    trace, caller, flags = match.groups() if match is not None else (secrets.token_hex(16), "", "00")
    return f"00-{trace}-{secrets.token_hex(8)}-{flags}", caller


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and after how many seconds a failed function runs again. `max_retries` below zero means without end."""

    max_retries: int
    least_seconds: float
    most_seconds: float
    exponential: bool = False

    def delay_seconds(self, retries: int) -> float:
        """Returns the seconds until the next run, after this many retries."""
        if not self.exponential:
            return self.least_seconds
        return min(self.most_seconds, self.least_seconds * 2.0 ** min(retries, 30))


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app, as the worker describes it. The bindings have the format of function.json."""

    name: str
    bindings: tuple[Mapping[str, Any], ...]
    retry: RetryPolicy | None = None

    @property
    def trigger(self) -> Mapping[str, Any]:
        """The binding that starts the function."""
        return next(binding for binding in self.bindings if str(binding["type"]).lower().endswith("trigger"))

    @property
    def kind(self) -> str:
        """The trigger's type in lower case, such as "queuetrigger"."""
        return str(self.trigger["type"]).lower()

    @property
    def inputs(self) -> tuple[Mapping[str, Any], ...]:
        """The input bindings, without the trigger."""
        return tuple(
            binding
            for binding in self.bindings
            if str(binding["direction"]).lower() == "in" and binding is not self.trigger
        )

    @property
    def outputs(self) -> tuple[Mapping[str, Any], ...]:
        """The output bindings."""
        return tuple(binding for binding in self.bindings if str(binding["direction"]).lower() == "out")


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run of a function. `inputs` and `metadata` are `TypedData` by name. Retries have a `previous_error`.

    `trace_parent` names the run's own span, and `parent_id` the span of its caller, if that is known.
    """

    function: str
    inputs: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    trace_parent: str = ""
    trace_state: str = ""
    parent_id: str = ""
    retries: int = 0
    max_retries: int = 0
    previous_error: str | None = None
    id: str = field(default_factory=new_guid)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an invocation. `error` is None if it succeeded. `outputs` are `TypedData` by binding name."""

    invocation_id: str
    error: str | None = None
    stack: str = ""
    returned: Any = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
