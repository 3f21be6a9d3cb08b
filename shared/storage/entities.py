"""Table storage as the domain sees it: small entities, compare-and-swap, all-or-nothing changes in a partition."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

type Value = str | int | float | bool | bytes | datetime


@dataclass(frozen=True, slots=True)
class Entity:
    r"""A row. `partition` and `row` are its key; `etag` is the version that was read, empty before a write.

    Keys: up to 512 UTF-16 code units, without `/ \ # ?` and control characters. Values: valid strings up to 32 Ki
    UTF-16 code units, bytes up to 64 KiB, integers of 64 bits, aware datetimes (kept to the microsecond at best); up to
    252 of them, together up to 1 MiB. `shared.storage.entity_limits` says it in full.
    """

    partition: str
    row: str
    values: Mapping[str, Value] = field(default_factory=dict)
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Insert:
    """Create the entity; fails where its key is taken."""

    entity: Entity


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace all values; fails unless the stored entity still has `entity.etag`."""

    entity: Entity


@dataclass(frozen=True, slots=True)
class Put:
    """Create or replace, whatever is there."""

    entity: Entity


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the row; it must exist (within `apply`, where it does not the whole change fails)."""

    row: str


type Change = Insert | Replace | Put | Delete


class EntityStore(Protocol):
    """Tables of entities. Every method raises `Unavailable` where storage does not answer; it may have done all."""

    async def get(self, table: str, partition: str, row: str) -> Entity | None:
        """The entity with its etag; None where there is none."""
        ...

    def query(
        self, table: str, partition: str, *, after: str = "", before: str = ""
    ) -> AsyncIterator[Entity]:
        """The partition's entities in order of row key, with after < row < before where those are given."""
        ...

    async def apply(self, table: str, partition: str, changes: Sequence[Change]) -> Sequence[str]:
        """Make 1 to 100 changes to different rows of one partition, all or none.

        Returns:
            The new etag of each row, in the order of the changes; empty for one that was deleted.

        Raises:
            AlreadyExists: an `Insert` met an existing key.
            Changed: a `Replace` met another version, or a `Replace` or `Delete` met no entity.
            Permanent: an entity is too large, or has keys or values that are not allowed; no change is made then.
        """
        ...

    async def erase(self, table: str, partition: str) -> None:
        """Delete all entities of the partition; idempotent, not atomic."""
        ...
