"""Checks rows against the limits of Azure Table Storage. Both stores use it, so they refuse the same rows.

https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model. Texts count in
UTF-16 code units of two bytes: a character outside of the Basic Multilingual Plane, such as an emoji, is two of them.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from shared.errors import Permanent
from shared.storage.entities import Change, Delete, Entity, Value

MAX_CELL_BYTES, MAX_ROW_BYTES, MAX_KEY_BYTES = 64 << 10, 1 << 20, 1 << 10
# the service allows 255, which include the two keys and the timestamp
MAX_CELLS = 252
MAX_CHANGES, MAX_CHANGES_BYTES = 100, 4 << 20
_MAX_NAME_CHARACTERS = 255
_KEY = re.compile(r"[^/\\#?\x00-\x1f\x7f-\x9f\ud800-\udfff]*")
_HALF_A_PAIR = re.compile(r"[\ud800-\udfff]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SYSTEM = frozenset({"PartitionKey", "RowKey", "Timestamp"})
_EARLIEST = datetime(1601, 1, 1, tzinfo=UTC)
_ROW_OVERHEAD, _CELL_OVERHEAD = 4, 8
# the largest size of a value that is no text and no bytes
_SMALL_BYTES = 8


def text_bytes(text: str) -> int:
    """Returns the size of a text in a table, in bytes."""
    return len(text.encode("utf-16-le", "surrogatepass"))


def is_key(text: str) -> bool:
    """Whether the text is allowed as a key of a row."""
    return _KEY.fullmatch(text) is not None and text_bytes(text) <= MAX_KEY_BYTES


def check_changes(partition: str, changes: Sequence[Change]) -> None:
    """Checks that the service would accept the changes.

    Raises:
        Permanent: it would refuse them.
    """
    if not 1 <= len(changes) <= MAX_CHANGES:
        raise Permanent(f"There are {len(changes)} changes; there must be 1 to {MAX_CHANGES}.")
    rows = {change.row if isinstance(change, Delete) else change.entity.row for change in changes}
    if len(rows) < len(changes):
        raise Permanent("There are two changes of one row.")
    entities = [change.entity for change in changes if not isinstance(change, Delete)]
    for key in (partition, *rows):
        if not is_key(key):
            raise Permanent("A key of a row is too long, or has characters that are not allowed in keys.")
    if any(entity.partition != partition for entity in entities):
        raise Permanent("A row belongs to another partition.")
    size = sum(_checked_size(entity) for entity in entities)
    if size > MAX_CHANGES_BYTES:
        raise Permanent(f"The changes have {size} bytes; they may have {MAX_CHANGES_BYTES}.")


def _checked_size(entity: Entity) -> int:
    """Returns the size of a row in bytes.

    Raises:
        Permanent: the service would refuse the row.
    """
    if len(entity.values) > MAX_CELLS:
        raise Permanent(f"The row {entity.row} has {len(entity.values)} cells; it may have {MAX_CELLS}.")
    size = _ROW_OVERHEAD + text_bytes(entity.partition) + text_bytes(entity.row)
    for name, value in entity.values.items():
        if name in _SYSTEM or len(name) > _MAX_NAME_CHARACTERS or not _NAME.fullmatch(name):
            raise Permanent(f"A cell of the row {entity.row} has a name that is not allowed.")
        cell = _size(value)
        if cell > MAX_CELL_BYTES or not _is_stored_unchanged(value):
            raise Permanent(f"The cell {name} of the row {entity.row} has a value that cannot be stored.")
        size += _CELL_OVERHEAD + text_bytes(name) + cell
    if size > MAX_ROW_BYTES:
        raise Permanent(f"The row {entity.row} has {size} bytes; it may have {MAX_ROW_BYTES}.")
    return size


def _size(value: Value) -> int:
    if isinstance(value, str):
        return text_bytes(value)
    return len(value) if isinstance(value, bytes) else _SMALL_BYTES


def _is_stored_unchanged(value: Value) -> bool:
    """Whether the service returns the value unchanged."""
    if isinstance(value, str):
        return _HALF_A_PAIR.search(value) is None
    if isinstance(value, datetime):
        return value.tzinfo is not None and value >= _EARLIEST
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 63
    return True
