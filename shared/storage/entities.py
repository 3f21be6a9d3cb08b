"""Defines table storage for the domain: small rows, compare-and-swap, and atomic changes in a partition."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

type Value = str | int | float | bool | bytes | datetime


@dataclass(frozen=True, slots=True)
class Entity:
    r"""A row. `partition` and `row` are its key. `etag` is the version that was read, and empty in a new row.

    A key has up to 512 UTF-16 code units, without `/ \ # ?` and control characters. Values are valid strings of up to
    32 Ki UTF-16 code units, bytes of up to 64 KiB, integers of 64 bits, and aware datetimes, which are stored to the
    microsecond at best. A row has up to 252 values and up to 1 MiB. `shared.storage.entity_limits` has all limits.
    """

    partition: str
    row: str
    values: Mapping[str, Value] = field(default_factory=dict)
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Insert:
    """Creates the row. The change fails if a row with its key exists."""

    entity: Entity


@dataclass(frozen=True, slots=True)
class Replace:
    """Replaces all values of the row. The change fails unless the stored row still has `entity.etag`."""

    entity: Entity


@dataclass(frozen=True, slots=True)
class Put:
    """Creates the row, or replaces any version of it."""

    entity: Entity


@dataclass(frozen=True, slots=True)
class Delete:
    """Deletes the row. The change fails if the row does not exist or, with an `etag`, has another version."""

    row: str
    etag: str = ""


type Change = Insert | Replace | Put | Delete


class EntityStore(Protocol):
    """Tables of rows. Every method raises `Unavailable` if storage does not answer; its changes may have been made."""

    async def get(self, table: str, partition: str, row: str) -> Entity | None:
        """Returns the row, or None if it does not exist."""
        ...

    def query(
        self, table: str, partition: str, *, after: str = "", before: str = ""
    ) -> AsyncIterator[Entity]:
        """Yields the rows of the partition in order of key: those with after < key < before, if these are not empty."""
        ...

    def scan(self, table: str, *, after: tuple[str, str], below: str) -> AsyncGenerator[Entity]:
        """Yields rows of all partitions, in order of partition and row.

        These are the rows behind the key `after` (partition and row) whose partition and row are both less than
        `below`. Storage reads the whole table for it, and some hundred rows at a time are in memory. Whoever stops
        before the end should close the generator.
        """
        ...

    async def apply(self, table: str, partition: str, changes: Sequence[Change]) -> Sequence[str]:
        """Makes 1 to 100 changes to different rows of one partition. Either all are made or none.

        Returns:
            The new etag of each row, in the order of the changes. It is empty for a deleted row.

        Raises:
            AlreadyExists: the row of an `Insert` exists.
            Changed: the row of a `Replace` or `Delete` does not exist, or has another version than required.
            Permanent: a row is too large, or has keys or values that are not allowed.
        """
        ...

    async def erase(self, table: str, partition: str) -> None:
        """Deletes all rows of the partition. This is idempotent, but not atomic."""
        ...
