"""What a row may hold, as Azure Table Storage counts it. Both stores check this, so both refuse the same rows.

https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model. Texts count in
UTF-16 code units of two bytes: a character outside of the Basic Multilingual Plane, such as an emoji, is two of them.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from shared.errors import Permanent
from shared.storage.entities import Change, Delete, Entity, Value

MAX_CELL_BYTES, MAX_ROW_BYTES, MAX_KEY_BYTES = 64 << 10, 1 << 20, 1 << 10
# of 255; the two keys and the timestamp are the others
MAX_CELLS = 252
MAX_CHANGES, MAX_CHANGES_BYTES = 100, 4 << 20
_MAX_NAME_CHARACTERS = 255
_KEY = re.compile(r"[^/\\#?\x00-\x1f\x7f-\x9f\ud800-\udfff]*")
_HALF_A_PAIR = re.compile(r"[\ud800-\udfff]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SYSTEM = frozenset({"PartitionKey", "RowKey", "Timestamp"})
_EARLIEST = datetime(1601, 1, 1, tzinfo=UTC)
_ROW_OVERHEAD, _CELL_OVERHEAD = 4, 8
# the size of a value of any other type, at most
_SMALL_BYTES = 8


def text_bytes(text: str) -> int:
    """How many bytes a text takes in a table."""
    return len(text.encode("utf-16-le", "surrogatepass"))


def is_key(text: str) -> bool:
    """Whether a row can have this key."""
    return _KEY.fullmatch(text) is not None and text_bytes(text) <= MAX_KEY_BYTES


def check_changes(partition: str, changes: Sequence[Change]) -> None:
    """See that the service would take the changes.

    Raises:
        Permanent: it would not.
    """
    if not 1 <= len(changes) <= MAX_CHANGES:
        raise Permanent(f"{len(changes)} changes are not 1 to {MAX_CHANGES}.")
    rows = {change.row if isinstance(change, Delete) else change.entity.row for change in changes}
    if len(rows) < len(changes):
        raise Permanent("Two changes are for one row.")
    entities = [change.entity for change in changes if not isinstance(change, Delete)]
    for key in (partition, *rows):
        if not is_key(key):
            raise Permanent("A key of a row is too long, or has characters that no key may have.")
    if any(entity.partition != partition for entity in entities):
        raise Permanent("A row is of another partition.")
    if sum(_checked_size(entity) for entity in entities) > MAX_CHANGES_BYTES:
        raise Permanent("The changes are too large.")


def _checked_size(entity: Entity) -> int:
    """The size of an entity in bytes.

    Raises:
        Permanent: the service would not take it.
    """
    if len(entity.values) > MAX_CELLS:
        raise Permanent(f"The row {entity.row} has too many cells.")
    size = _ROW_OVERHEAD + text_bytes(entity.partition) + text_bytes(entity.row)
    for name, value in entity.values.items():
        if name in _SYSTEM or len(name) > _MAX_NAME_CHARACTERS or not _NAME.fullmatch(name):
            raise Permanent(f"A cell of the row {entity.row} has a name that is not allowed.")
        cell = _size(value)
        if cell > MAX_CELL_BYTES or not _is_kept(value):
            raise Permanent(f"The cell {name} of the row {entity.row} cannot be kept.")
        size += _CELL_OVERHEAD + text_bytes(name) + cell
    if size > MAX_ROW_BYTES:
        raise Permanent(f"The row {entity.row} is too large.")
    return size


def _size(value: Value) -> int:
    if isinstance(value, str):
        return text_bytes(value)
    return len(value) if isinstance(value, bytes) else _SMALL_BYTES


def _is_kept(value: Value) -> bool:
    """Whether the service returns the value unchanged."""
    if isinstance(value, str):
        return _HALF_A_PAIR.search(value) is None
    if isinstance(value, datetime):
        return value.tzinfo is not None and value >= _EARLIEST
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 63
    return True
