"""Lists the rows of a partition by time, newest first, whatever their keys are.

A row that is listed has a mark: a second row without values, whose key is `~`, the inverted time and the first
row's key. Both are written in one transaction, so neither is there without the other. A mark never changes. So a row's
place in the list is fixed, and paging neither skips nor repeats a row, whatever changes in between.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.ids import ID_PATTERN
from shared.storage.entities import Delete, Entity, EntityStore, Put

_MARK = "~"
_LAST = "~~"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_MICROSECONDS = (1 << 56) - 1
_READS_AT_A_TIME = 25
_MOST_READS = 500
_PLACE = re.compile(rf"[0-9a-f]{{14}}-{ID_PATTERN}")


def place_of(row: str, moment: datetime) -> str:
    """Returns the place in the list of a row that was made at this moment.

    Rows that were made in the same microsecond are in order of key.
    """
    return f"{_MOST_MICROSECONDS - (moment - _EPOCH) // timedelta(microseconds=1):014x}-{row}"


def end_of(moment: datetime) -> str:
    """Returns a place after those of all rows that were made at this moment or later, and before those of older rows.

    Any moment will do, however early or late.
    """
    microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    return f"{_MOST_MICROSECONDS - min(max(microseconds, 0), _MOST_MICROSECONDS):014x}~"


def is_place(text: str) -> bool:
    """Whether the text has the form of a place."""
    return _PLACE.fullmatch(text) is not None


def mark(partition: str, place: str) -> Put:
    """Returns the change that adds a row to the list at this place.

    It must be written in one transaction with the row.
    """
    return Put(Entity(partition, _MARK + place))


def unmark(place: str) -> Delete:
    """Returns the change that takes a row out of the list. It must be made in one transaction with its deletion."""
    return Delete(_MARK + place)


@dataclass(frozen=True, slots=True)
class Span:
    """Up to `size` rows after the place `after` and before the place `end`. Empty places set no bounds."""

    after: str = ""
    end: str = ""
    size: int = 100


@dataclass(frozen=True, slots=True)
class Listing[T]:
    """Some rows, newest first. There are more rows after the place `more_after`, or no more if it is None."""

    items: Sequence[T]
    more_after: str | None


async def newest_first[T](
    entities: EntityStore,
    table: str,
    partition: str,
    read: Callable[[Entity], T | None],
    span: Span,
) -> Listing[T]:
    """Reads the rows of the span. Rows for which `read` returns None are left out.

    Up to 25 rows are read at the same time, and about 500 in all. So there may be fewer than `size` though there are
    more after them.
    """
    found: list[tuple[str, T]] = []
    number_read, size = 0, span.size
    async for places in _batches(entities, table, partition, span):
        rows = await asyncio.gather(*(entities.get(table, partition, _row_at(place)) for place in places))
        for place, row in zip(places, rows, strict=True):
            item = read(row) if row is not None else None
            if item is not None:
                found.append((place, item))
        if len(found) > size:
            return Listing([item for _, item in found[:size]], found[size - 1][0])
        number_read += len(places)
        if number_read >= _MOST_READS:
            return Listing([item for _, item in found], places[-1])
    return Listing([item for _, item in found], None)


def _row_at(place: str) -> str:
    return place.partition("-")[2]


async def _batches(
    entities: EntityStore, table: str, partition: str, span: Span
) -> AsyncIterator[Sequence[str]]:
    places: list[str] = []
    size = min(span.size + 1, _READS_AT_A_TIME)
    end = _MARK + span.end if span.end else _LAST
    async for row in entities.query(table, partition, after=_MARK + span.after, before=end):
        places.append(row.row.removeprefix(_MARK))
        if len(places) == size:
            yield places
            places, size = [], _READS_AT_A_TIME
    if places:
        yield places
