"""Rows of a partition that are listed by time, newest first, whatever their keys are.

A row that is to be listed has a mark beside it: a row without values, whose key begins with `~` and goes on with the
inverted time and the key. Both are written in one transaction, so that neither is ever without the other. A mark never
changes: so a row has one place for good, and paging loses and doubles nothing, whatever changes meanwhile.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.storage.entities import Entity, EntityStore, Put

_MARK = "~"
_LAST = "~~"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_MICROSECONDS = (1 << 56) - 1
_AT_ONCE = 25
_PLACE = re.compile(r"[0-9a-f]{14}-[A-Za-z0-9_-]{1,64}")


def place_of(row: str, moment: datetime) -> str:
    """Where a row is listed that was made at this moment; of the same microsecond, rows are in order of their keys."""
    return f"{_MOST_MICROSECONDS - (moment - _EPOCH) // timedelta(microseconds=1):014x}-{row}"


def is_place(text: str) -> bool:
    """Whether the text may be the place of a row."""
    return _PLACE.fullmatch(text) is not None


def mark(partition: str, place: str) -> Put:
    """What has to be written together with the row that is listed there; repeating it changes nothing."""
    return Put(Entity(partition, _MARK + place))


@dataclass(frozen=True, slots=True)
class Listing[T]:
    """Some rows, newest first, and behind which place there are more; None where there are none."""

    items: Sequence[T]
    more_after: str | None


async def newest_first[T](
    entities: EntityStore,
    table: str,
    partition: str,
    read: Callable[[Entity], T | None],
    *,
    after: str = "",
    size: int,
) -> Listing[T]:
    """So many rows from behind a place, without those of which `read` makes None.

    Reads no more than some rows beyond them, and these at the same time.
    """
    found: list[tuple[str, T]] = []
    async for places in _batches(entities, table, partition, after, min(size + 1, _AT_ONCE)):
        rows = await asyncio.gather(*(entities.get(table, partition, _row_at(place)) for place in places))
        for place, row in zip(places, rows, strict=True):
            item = read(row) if row is not None else None
            if item is not None:
                found.append((place, item))
        if len(found) > size:
            return Listing([item for _, item in found[:size]], found[size - 1][0])
    return Listing([item for _, item in found], None)


def _row_at(place: str) -> str:
    return place.partition("-")[2]


async def _batches(
    entities: EntityStore, table: str, partition: str, after: str, size: int
) -> AsyncIterator[Sequence[str]]:
    places: list[str] = []
    async for row in entities.query(table, partition, after=_MARK + after, before=_LAST):
        places.append(row.row.removeprefix(_MARK))
        if len(places) == size:
            yield places
            places = []
    if places:
        yield places
