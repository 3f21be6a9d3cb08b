"""Stores bytes in as many cells of a row as they need, and checks the types of cells."""

from collections.abc import Mapping
from datetime import datetime
from itertools import count, takewhile

from shared.storage.entities import Value

# a cell has room for 64 KiB
_CELL_BYTES = 60_000


def to_cells(name: str, data: bytes) -> dict[str, Value]:
    """Divides bytes among cells: `name`, `name1`, `name2` and so on."""
    starts = range(0, max(len(data), 1), _CELL_BYTES)
    return {f"{name}{at or ''}": data[start : start + _CELL_BYTES] for at, start in enumerate(starts)}


def from_cells(name: str, values: Mapping[str, Value]) -> bytes:
    """Returns the bytes that `to_cells` divided among cells. They are empty if there are no such cells.

    Raises:
        TypeError: a cell does not hold bytes.
    """
    cells = takewhile(values.__contains__, (f"{name}{at or ''}" for at in count()))
    return b"".join(as_bytes(values[cell]) for cell in cells)


def as_bytes(value: Value) -> bytes:
    """Returns the value of a cell that holds bytes.

    Raises:
        TypeError: the cell does not hold bytes.
    """
    if not isinstance(value, bytes):
        raise TypeError(f"expected bytes, found {type(value).__name__}")
    return value


def as_datetime(value: Value) -> datetime:
    """Returns the value of a cell that holds a time.

    Raises:
        TypeError: the cell does not hold a time.
    """
    if not isinstance(value, datetime):
        raise TypeError(f"expected a time, found {type(value).__name__}")
    return value
