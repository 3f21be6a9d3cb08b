"""Makes the table of signals in docs/reference/telemetry.md out of `shared.telemetry.signals`: `make catalogue`.

Each function there is called with and without its optional arguments, and what it emits is written down.
"""

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from shared.errors import Retryable
from shared.telemetry import signals
from shared.telemetry.recording import RecordingTelemetry, Signal

PATH = Path(__file__).parents[1] / "docs" / "reference" / "telemetry.md"

_BEGIN = "<!-- The table is made by `make catalogue`. -->\n\n"
_END = "\n<!-- The table ends here. -->\n"
_HEAD = "| name | kind | properties | measurements | sampled | when |\n|---|---|---|---|---|---|\n"
# the recording's own way to keep what the wire has in other fields
_FIELDS_OF_DEPENDENCIES = {"type", "target", "success", "duration"}
_ANY_ERROR = "any error"
_ERRORS = (Retryable("x"), ValueError("x"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: a signal with everything that it may carry. `sure` are the properties of all of its items."""

    name: str
    kind: str
    properties: tuple[str, ...]
    sure: frozenset[str]
    measurements: tuple[str, ...]
    sampled: bool
    when: str


def emitted() -> list[Signal]:
    """Everything that the functions of `signals` emit; texts are the names of the parameters in angle brackets."""
    return [signal for function in _functions() for signal in _emitted_by(function)]


def entries() -> Iterator[Entry]:
    """The rows, in the order of the functions."""
    found: dict[tuple[str, str], list[tuple[Signal, str]]] = {}
    for function in _functions():
        when = (inspect.getdoc(function) or "").partition("\n")[0]
        for signal in _emitted_by(function):
            name = signal.name if signal.kind != "exception" else _ANY_ERROR
            found.setdefault((signal.kind, name), []).append((signal, when))
    for (kind, name), group in found.items():
        mine = [_own_fields(signal) for signal, _ in group]
        properties = dict.fromkeys(itertools.chain.from_iterable(mine))
        measurements = dict.fromkeys(
            itertools.chain.from_iterable(signal.measurements for signal, _ in group)
        )
        signal, when = group[0]
        yield Entry(
            name=name,
            kind=f"{kind}, type {signal.properties['type']}" if kind == "dependency" else kind,
            properties=tuple(properties),
            sure=frozenset.intersection(*map(frozenset, mine)),
            measurements=tuple(
                key
                for key in measurements
                if kind not in {"metric", "dependency"} or key not in {"value", *_FIELDS_OF_DEPENDENCIES}
            ),
            sampled=not signal.always,
            when=when,
        )


def table() -> str:
    """The table in Markdown. A question mark stands behind a property that not every item has."""
    return _HEAD + "".join(
        f"| {_name(entry)} | {entry.kind} | {_properties(entry)} | {_codes(entry.measurements)} "
        f"| {'yes' if entry.sampled else 'never'} | {entry.when} |\n"
        for entry in entries()
    )


def with_table(page: str) -> str:
    """The page with the table as it should be.

    Raises:
        ValueError: the page has no place for it.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError("The page has no marks for the table.")
    return f"{before}{begin}{table()}{end}{after}"


def _functions() -> Iterator[Callable[..., None]]:
    for function in vars(signals).values():
        own = inspect.isfunction(function) and function.__module__ == signals.__name__
        if own and not function.__name__.startswith("_"):
            yield function


def _emitted_by(function: Callable[..., None]) -> list[Signal]:
    """What a function emits with and without its optional arguments, for an error of the app and for another one."""
    telemetry = RecordingTelemetry()
    for error in _ERRORS:
        counter = itertools.count(1)
        hints = get_type_hints(function)
        needed: dict[str, object] = {}
        optional: dict[str, object] = {}
        for name, parameter in inspect.signature(function).parameters.items():
            if name != "telemetry":
                group = needed if parameter.default is inspect.Parameter.empty else optional
                group[name] = _value(name, hints[name], counter, error)
        for arguments in (needed | optional, needed):
            function(telemetry=telemetry, **arguments)
    return telemetry.signals


def _value(name: str, hint: Any, counter: Iterator[int], error: BaseException) -> object:
    """A value of the type; numbers grow, so that of two counts the first is the lower one."""
    kind = next((part for part in get_args(hint) if part is not type(None)), hint)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(
            **{field.name: _value(field.name, hints[field.name], counter, error) for field in fields(kind)}
        )
    values: Mapping[object, Callable[[], object]] = {
        str: lambda: f"<{name}>",
        bool: lambda: True,
        int: lambda: next(counter),
        float: lambda: float(next(counter)),
        BaseException: lambda: error,
    }
    return values[kind]()


def _own_fields(signal: Signal) -> list[str]:
    other = _FIELDS_OF_DEPENDENCIES if signal.kind == "dependency" else set()
    return [name for name in signal.properties if name not in other]


def _name(entry: Entry) -> str:
    if entry.name == _ANY_ERROR:
        return _ANY_ERROR
    parameter = entry.name.strip("<>")
    return f"`{entry.name}`" if parameter == entry.name else f"the {parameter.replace('_', ' ')}'s name"


def _properties(entry: Entry) -> str:
    return ", ".join(f"`{name}`" + ("" if name in entry.sure else "?") for name in entry.properties)


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    PATH.write_text(with_table(PATH.read_text(encoding="utf-8")), encoding="utf-8")
