"""Stores how far the run of a day is, in the table `lifecycle`.

    partition runs   {day}   where the run goes on, what it has done so far, and when it began and finished

A run is a row, and its messages only say its day. So a message that comes twice, or two at the same time, go on where
the run is. What a slice did is added to the row in one write with its place. So each dataset counts once.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from shared.datasets.all_datasets import Place
from shared.errors import AlreadyExists, Changed
from shared.storage.cells import as_datetime
from shared.storage.entities import Entity, EntityStore, Insert, Replace, Value

_TABLE, _PARTITION = "lifecycle", "runs"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a run has done, in numbers of datasets.

    `archived` are those of `moved` that came to the Archive tier. `deleted` are those whose deletion has begun.
    """

    seen: int = 0
    moved: int = 0
    archived: int = 0
    deleted: int = 0
    failed: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Returns the sums."""
        return Counts(
            self.seen + other.seen,
            self.moved + other.moved,
            self.archived + other.archived,
            self.deleted + other.deleted,
            self.failed + other.failed,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """The run of a day. It goes on behind the place `after`, unless it is finished.

    The last datasets that it has done are those behind `before`, up to `after`. What it does to a dataset is recorded
    there with the time `started_at`, to the microsecond. So a slice that comes again knows what the run has done
    already.
    """

    day: date
    started_at: datetime
    before: Place = Place()  # noqa: RUF009 - it cannot change
    after: Place = Place()  # noqa: RUF009 - it cannot change
    counts: Counts = Counts()
    finished_at: datetime | None = None
    etag: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of all days."""

    entities: EntityStore

    async def begin(self, day: date, now: datetime) -> Run:
        """Returns the run of the day, which begins now if there is none."""
        run = await self.get(day)
        if run is not None:
            return run
        begun = Run(day, now)
        try:
            [etag] = await self.entities.apply(_TABLE, _PARTITION, [Insert(_to_entity(begun))])
        except AlreadyExists:
            return await self.get(day) or begun
        return replace(begun, etag=etag)

    async def get(self, day: date) -> Run | None:
        """Returns the run of the day, or None if it has not begun."""
        entity = await self.entities.get(_TABLE, _PARTITION, day.isoformat())
        return _from_entity(entity) if entity else None

    async def latest(self, now: datetime) -> Run | None:
        """Returns the run of today (UTC) or else that of yesterday; None if neither has begun."""
        today = now.astimezone(UTC).date()
        return await self.get(today) or await self.get(today - _DAY)

    async def advance(self, run: Run, after: Place, counts: Counts) -> Run | None:
        """Records what was done up to a place; returns the run as it goes on.

        It is None if the run is elsewhere by now, as another slice was faster. Then nothing is recorded.
        """
        return await self._replace(
            replace(run, before=run.after, after=after, counts=run.counts.plus(counts))
        )

    async def finish(self, run: Run, now: datetime) -> bool:
        """Records that the run is finished; returns whether this call has done so, not another slice."""
        return await self._replace(replace(run, finished_at=now)) is not None

    async def _replace(self, run: Run) -> Run | None:
        try:
            [etag] = await self.entities.apply(_TABLE, _PARTITION, [Replace(_to_entity(run))])
        except Changed:
            return None
        return replace(run, etag=etag)

    async def next_day(self, now: datetime) -> date:
        """Returns the day of the next run to begin: today (UTC), or tomorrow if that of today has begun."""
        today = now.astimezone(UTC).date()
        return today + _DAY if await self.get(today) else today


def _to_entity(run: Run) -> Entity:
    values: dict[str, Value] = {
        "started_at": run.started_at,
        "before_user": run.before.user_id,
        "before_dataset": run.before.dataset_id,
        "after_user": run.after.user_id,
        "after_dataset": run.after.dataset_id,
        **asdict(run.counts),
    }
    if run.finished_at is not None:
        values["finished_at"] = run.finished_at
    return Entity(_PARTITION, run.day.isoformat(), values, run.etag)


def _from_entity(entity: Entity) -> Run:
    values = entity.values
    finished_at = values.get("finished_at")
    return Run(
        date.fromisoformat(entity.row),
        as_datetime(values["started_at"]),
        Place(str(values["before_user"]), str(values["before_dataset"])),
        Place(str(values["after_user"]), str(values["after_dataset"])),
        _counts(values),
        None if finished_at is None else as_datetime(finished_at),
        entity.etag,
    )


def _counts(values: Mapping[str, Value]) -> Counts:
    return Counts(**{name: int(str(values[name])) for name in Counts.__slots__})
