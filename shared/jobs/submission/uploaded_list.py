"""Defines the lists that users have stored through the API, and packs those of a user into one row.

One row for all lists of a user makes each change atomic, so that calls at the same time cannot exceed a limit together.
"""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from shared.errors import InvalidRequest
from shared.records.blob_names import UPLOADED, inputs_prefix
from shared.sources.lists.config import PARQUET
from shared.sources.lists.rows import FORMATS
from shared.storage.blobs import Link
from shared.storage.cells import from_cells, to_cells
from shared.storage.entities import Entity

ENDINGS: Final = (*FORMATS, *(f"{each}.gz" for each in FORMATS), PARQUET)
"""The endings of the names of lists, which say their formats."""
_ROW = "lists"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class UploadedList:
    """A list that a user stores, or has a link to store.

    Attributes:
        id: Its id.
        name: What its owner calls it.
        ending: Its format, such as "csv.gz".
        created_at: When it was asked for.
        size_bytes: The size of its blob. Until that is there, it is the size that is known to come.
        key: A digest of the call's idempotency key, or empty.
        content: A digest of all that the call has sent.
        by_link: Whether its owner stores it with a link.
        is_stored: Whether its blob was there when this was read.
        used_at: The day on which a spec named it last.
    """

    id: str
    name: str
    ending: str
    created_at: datetime
    size_bytes: int
    key: str
    content: str
    by_link: bool = False
    is_stored: bool = False
    used_at: datetime | None = None

    def blob(self, user_id: str) -> str:
        """Returns the name of its blob, which specs use."""
        return f"{lists_prefix(user_id)}{self.id}.{self.ending}"


@dataclass(frozen=True, slots=True)
class ListLimits:
    """How many lists a user may have, how many bytes they may have together, and how long unused ones stay."""

    lists: int
    bytes: int
    unused_days: int


@dataclass(frozen=True, slots=True)
class NewList:
    """A list that a user wants to store. Without `data`, the user gets a link to store it.

    Calls with the same idempotency key make one list.
    """

    name: str
    ending: str
    data: bytes | None
    key: str | None = None

    def digest(self) -> str:
        """Returns a digest of all of this but the key. A large list takes a tenth of a second."""
        kind = f"{self.ending}\n{self.name}\n{'link' if self.data is None else 'data'}\n"
        return hashlib.sha256(kind.encode() + (self.data or b"")).hexdigest()


@dataclass(frozen=True, slots=True)
class AddedList:
    """A list of a user, and the link to store it, if it has one. `replayed` says that an earlier call has made it."""

    found: UploadedList
    link: Link | None
    replayed: bool


_adapter: TypeAdapter[tuple[UploadedList, ...]] = TypeAdapter(tuple[UploadedList, ...])


def lists_prefix(user_id: str) -> str:
    """Returns the beginning of the names of the blobs of a user's uploaded lists."""
    return f"{inputs_prefix(user_id)}{UPLOADED}"


def key_of(user_id: str) -> tuple[str, str]:
    """Returns the partition and the row of a user's lists."""
    return user_id, _ROW


def lists_in(entity: Entity | None) -> tuple[UploadedList, ...]:
    """Returns the lists in a row; none if there is no row."""
    packed = from_cells("json", entity.values) if entity else b""
    return _adapter.validate_json(zlib.decompress(packed)) if packed else ()


def row_of(user_id: str, lists: Sequence[UploadedList], etag: str) -> Entity:
    """Returns the row of a user's lists."""
    partition, row = key_of(user_id)
    packed = zlib.compress(_adapter.dump_json(tuple(lists)))
    return Entity(partition, row, to_cells("json", packed), etag)


def ending_of(format_or_ending: str, data: bytes | None) -> str:
    """Returns the ending of the name of a list, which says whether it is gzipped.

    Raises:
        InvalidRequest: the data is gzipped and may not be, or is not and should be.
    """
    if data is None:
        return format_or_ending
    gzipped = data.startswith(_GZIP)
    if format_or_ending.endswith(".gz"):
        if not gzipped:
            raise InvalidRequest("The body is not gzipped, as 'format' says.")
        return format_or_ending
    if gzipped and format_or_ending == "parquet":
        raise InvalidRequest("The body is gzipped; a Parquet list must not be.")
    return f"{format_or_ending}.gz" if gzipped else format_or_ending
