"""Defines the lists that users have stored through the API, and packs those of a user into one row.

One row for all lists of a user makes each change atomic, so that calls at the same time cannot exceed a limit together.
"""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import TypeAdapter

from shared.damage import reading
from shared.errors import InvalidRequest, QuotaExceeded
from shared.records.blob_names import UPLOADED, inputs_prefix
from shared.storage.blobs import Link
from shared.storage.cells import from_cells, to_cells
from shared.storage.entities import Entity

MOST_BYTES: Final = 2_000_000_000
"""The size of the largest list that is read."""
COMES_WITHIN: Final = timedelta(days=1)
"""How long a list without a blob has its place: an upload that begins in time may take hours."""
_LINK_ENDS_WITHIN = timedelta(hours=1)
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
        deleted_at: When its owner deleted it, if it came with a link. The link may still store it after that.
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
    deleted_at: datetime | None = None

    def bytes_at(self, now: datetime) -> int:
        """Returns the bytes that it has, or those that its link may still store."""
        if self.is_stored or not self.by_link:
            return self.size_bytes
        may_come = self.deleted_at is None or now - self.deleted_at < _LINK_ENDS_WITHIN
        return MOST_BYTES if may_come else 0

    def deleted(self, now: datetime) -> "tuple[UploadedList, ...]":
        """Returns what stays of it once it is deleted: itself with a mark while its link may still be used."""
        if not self.by_link or now - self.created_at > COMES_WITHIN + _LINK_ENDS_WITHIN:
            return ()
        return (replace(self, is_stored=False, key="", deleted_at=self.deleted_at or now),)

    def blob(self, user_id: str) -> str:
        """Returns the name of its blob, which specs use."""
        return f"{lists_prefix(user_id)}{self.id}.{self.ending}"


@dataclass(frozen=True, slots=True)
class ListLimits:
    """How many lists a user may have, how many bytes they may have together, and how long unused ones stay."""

    lists: int
    bytes: int
    unused_days: int

    def check_room(self, lists: Sequence[UploadedList], size: int | None, now: datetime) -> None:
        """Checks that a user has room for one more list. `size` is None if it comes with a link.

        A list with a link counts as the largest one until its size is known. If it is deleted before that, it keeps its
        place while the link may still be used: else a user could ask for links, delete the lists, and then store any
        number of blobs.

        Raises:
            QuotaExceeded: there is no room.
        """
        if len(lists) >= self.lists:
            raise QuotaExceeded(
                f"You have {len(lists):,} lists; you may have {self.lists:,}. Deleted lists count while their links "
                "may still be used. Delete a list that you do not need.",
                limit=self.lists,
                used=len(lists),
            )
        used = sum(each.bytes_at(now) for each in lists)
        # the last link may store more than is left, because storage limits no size
        if used + (size or 1) > self.bytes:
            this = "" if size is None else f", and this one {size:,}"
            raise QuotaExceeded(
                f"Your lists have {used:,} bytes{this}; together they may have {self.bytes:,}. Each link that is not "
                f"used counts as {MOST_BYTES:,}, for an hour also if its list is deleted. Delete a list that you do "
                "not need.",
                limit=self.bytes,
                used=used,
            )


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
    """Returns the lists in a row; none if there is no row.

    Raises:
        Damaged: the row cannot be read.
    """
    packed = from_cells("json", entity.values) if entity else b""
    if not packed:
        return ()
    with reading("your lists"):
        return _adapter.validate_json(zlib.decompress(packed))


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
