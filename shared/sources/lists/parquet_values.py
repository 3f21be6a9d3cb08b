"""Converts values of Parquet columns to Python's, one by one if necessary, so that a bad value affects only its row."""

import re
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.sources.lists.tables import MAX_LINE_BYTES


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a value that cannot be read. `why` is a noun phrase, such as "a value that is not UTF-8"."""

    why: str


_NOT_UTF8 = Unreadable("that is not UTF-8")
_TOO_LONG = Unreadable(f"of more than {MAX_LINE_BYTES:,} bytes")
_OUT_OF_RANGE = Unreadable("that is out of range")
_OFFSET = re.compile(r"[+-](?:[01]\d|2[0-3]):[0-5]\d")


def is_plain(kind: Any) -> bool:
    """Whether values of the Arrow type can be written as text or numbers. Nested and binary ones cannot."""
    import pyarrow as pa
    from pyarrow import types

    kind = _type_of_values(kind)
    return (
        isinstance(kind, pa.UuidType)
        or types.is_null(kind)
        or types.is_boolean(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or _is_text(kind)
        or (types.is_temporal(kind) and not types.is_interval(kind))
    )


def values_of(column: Any) -> Sequence[object]:
    """Returns the values of an Arrow array whose type `is_plain`, with `Unreadable` for those that cannot be read.

    Times are cut to microseconds, because Python has no finer ones. Times in an unknown time zone are in UTC.
    """
    import pyarrow as pa
    from pyarrow import types

    if isinstance(column, pa.ExtensionArray) and not isinstance(column.type, pa.UuidType):
        column = column.storage
    if types.is_dictionary(column.type):
        return _looked_up(column)
    if _is_text(column.type):
        return _texts(column)
    kind = _readable_type(column.type)
    if kind != column.type:
        column = column.cast(kind, safe=False)
    try:
        values: list[object] = column.to_pylist()
    except (ArithmeticError, ValueError, pa.ArrowException):
        return [_value(item) for item in column]
    return values


def _type_of_values(kind: Any) -> Any:
    """Returns the type of the values themselves, without extension and dictionary types around it."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType) and not isinstance(kind, pa.UuidType):
        return _type_of_values(kind.storage_type)
    return _type_of_values(kind.value_type) if pa.types.is_dictionary(kind) else kind


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _readable_type(kind: Any) -> Any:
    """Returns the nearest type that Python has values of. For nanoseconds, pyarrow would need pandas."""
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        zone = kind.tz if kind.tz is None or _is_zone(kind.tz) else "UTC"
        return pa.timestamp("us" if kind.unit == "ns" else kind.unit, zone)
    if pa.types.is_duration(kind) and kind.unit == "ns":
        return pa.duration("us")
    return pa.time64("us") if pa.types.is_time64(kind) else kind


def _is_zone(name: str) -> bool:
    if _OFFSET.fullmatch(name):
        return True
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def _looked_up(column: Any) -> Sequence[object]:
    """Returns the values of a dictionary array. Each distinct value is read once."""
    numbers = column.indices.to_pylist()
    used = sorted({number for number in numbers if number is not None})
    values = values_of(column.dictionary.take(_whole_numbers(used)))
    by_number = dict(zip(used, values, strict=True))
    return [None if number is None else by_number[number] for number in numbers]


def _whole_numbers(numbers: Sequence[int]) -> Any:
    import pyarrow as pa

    return pa.array(numbers, pa.int64())


def _texts(column: Any) -> Sequence[object]:
    import pyarrow as pa
    from pyarrow import compute

    if pa.types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    longest = compute.max(compute.binary_length(column)).as_py() or 0
    if longest <= MAX_LINE_BYTES:
        try:
            values: list[object] = column.to_pylist()
        except UnicodeDecodeError:
            pass
        else:
            return values
    return [_text(item) for item in column]


def _text(item: Any) -> object:
    if not item.is_valid:
        return None
    data = item.as_buffer()
    if data.size > MAX_LINE_BYTES:
        return _TOO_LONG
    try:
        return data.to_pybytes().decode()
    except UnicodeDecodeError:
        return _NOT_UTF8


def _value(item: Any) -> object:
    import pyarrow as pa

    try:
        return item.as_py()
    except (ArithmeticError, ValueError, pa.ArrowException):
        return _OUT_OF_RANGE
