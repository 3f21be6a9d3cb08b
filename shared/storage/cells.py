"""Bytes in the cells of a row, however many cells they take."""

from collections.abc import Mapping
from itertools import count, takewhile

from shared.storage.entities import Value

_CELL_BYTES = 60_000  # a cell takes 64 KiB


def to_cells(name: str, data: bytes) -> dict[str, Value]:
    """Bytes over as many cells as they take: `name`, `name1`, `name2` and so on."""
    starts = range(0, max(len(data), 1), _CELL_BYTES)
    return {f"{name}{at or ''}": data[start : start + _CELL_BYTES] for at, start in enumerate(starts)}


def from_cells(name: str, values: Mapping[str, Value]) -> bytes:
    """The reverse of `to_cells`; nothing where there are no such cells.

    Raises:
        TypeError: a cell holds something else than bytes.
    """
    cells = takewhile(values.__contains__, (f"{name}{at or ''}" for at in count()))
    return b"".join(as_bytes(values[cell]) for cell in cells)


def as_bytes(value: Value) -> bytes:
    """The value of a cell that holds bytes.

    Raises:
        TypeError: it holds something else.
    """
    if not isinstance(value, bytes):
        raise TypeError(f"expected bytes, found {type(value).__name__}")
    return value
