"""Counts what users use of their tier's limits: jobs at the same time, and images in a calendar month (UTC).

The table `usage` has a partition for each user:

    open              how many jobs hold a reservation
    month-{month}     the images that finished jobs kept in the month, and those that running jobs have reserved
    held-{job}        one job's reservation: its month and its images

A job makes a reservation when it is submitted or retried, and the reservation is settled after the job has ended. The
three rows change in one transaction. So two instances cannot reserve the same images, and a reservation is settled only
once, however often `settle` is called. If a submission died before the job was stored, its reservation is found by its
row, and settled with no images.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.errors import QuotaExceeded
from shared.storage.cells import as_datetime
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Change, Delete, Entity, EntityStore, Insert, Replace, Value
from shared.users.tiers import Tier

_TABLE = "usage"
_OPEN, _MONTH, _HELD = "open", "month-", "held-"
_BUSY = "The user's usage is being changed by others; try again."


@dataclass(frozen=True, slots=True)
class Usage:
    """A user's usage now. `images_kept` and `images_reserved` are those of the month that ends at `resets_at`."""

    jobs_open: int
    images_kept: int
    images_reserved: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Reservation:
    """The reservation of a job that has not ended."""

    job_id: str
    month: str
    images: int
    reserved_at: datetime


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a user that one change reads and writes, as they were read."""

    open: Entity
    month: Entity
    held: Reservation | None

    def count(self, row: Entity, name: str) -> int:
        return int(str(row.values.get(name, 0)))


@dataclass(frozen=True, slots=True)
class UsageStore:
    """The usage of all users. Every method may be repeated, and run at the same time."""

    entities: EntityStore

    async def look_up(self, user_id: str, now: datetime) -> Usage:
        """Returns the user's usage now."""
        rows = await self._read(user_id, month_of(now), None)
        return _usage(rows, now)

    async def reserve(self, user_id: str, job_id: str, images: int, tier: Tier, now: datetime) -> None:
        """Reserve one of the user's jobs and this number of images for a job, unless the job has a reservation.

        Raises:
            QuotaExceeded: that would exceed a limit of the tier. The error has the limit, the usage and the reset.
        """

        async def write(rows: _Rows) -> None:
            if rows.held is not None:
                return
            _check(_usage(rows, now), images, tier)
            held: dict[str, Value] = {"month": month_of(now), "images": images, "reserved_at": now}
            await self._apply(
                user_id,
                _changed(rows.open, jobs=rows.count(rows.open, "jobs") + 1),
                _changed(rows.month, reserved=rows.count(rows.month, "reserved") + images),
                Insert(Entity(user_id, _HELD + job_id, held)),
            )

        await self._swap(user_id, job_id, month_of(now), write)

    async def settle(self, user_id: str, job_id: str, images_kept: int) -> bool:
        """Replace a job's reservation by the images that it kept; returns whether it had a reservation."""
        held = await self.entities.get(_TABLE, user_id, _HELD + job_id)
        if held is None:
            return False

        async def write(rows: _Rows) -> bool:
            if rows.held is None:
                return False
            await self._apply(
                user_id,
                _changed(rows.open, jobs=max(0, rows.count(rows.open, "jobs") - 1)),
                _changed(
                    rows.month,
                    reserved=max(0, rows.count(rows.month, "reserved") - rows.held.images),
                    kept=rows.count(rows.month, "kept") + images_kept,
                ),
                Delete(_HELD + job_id),
            )
            return True

        return await self._swap(user_id, job_id, str(held.values["month"]), write)

    async def erase(self, user_id: str) -> None:
        """Delete the usage of a user who is deleted."""
        await self.entities.erase(_TABLE, user_id)

    async def reservations(self, user_id: str) -> Sequence[Reservation]:
        """Returns the reservations of the user's jobs."""
        rows = self.entities.query(_TABLE, user_id, after=_HELD, before=_HELD + "~")
        return [_reservation(row) async for row in rows]

    async def _swap[Result](
        self, user_id: str, job_id: str, month: str, write: Callable[[_Rows], Awaitable[Result]]
    ) -> Result:
        return await compare_and_swap(lambda: self._read(user_id, month, job_id), write, busy=_BUSY)

    async def _read(self, user_id: str, month: str, job_id: str | None) -> _Rows:
        opened = await self.entities.get(_TABLE, user_id, _OPEN)
        monthly = await self.entities.get(_TABLE, user_id, _MONTH + month)
        held = await self.entities.get(_TABLE, user_id, _HELD + job_id) if job_id is not None else None
        return _Rows(
            opened or Entity(user_id, _OPEN),
            monthly or Entity(user_id, _MONTH + month),
            _reservation(held) if held else None,
        )

    async def _apply(self, user_id: str, *changes: Change) -> None:
        await self.entities.apply(_TABLE, user_id, changes)


def month_of(moment: datetime) -> str:
    """Returns the calendar month (UTC), such as `2026-11`."""
    return f"{moment.astimezone(UTC):%Y-%m}"


def _check(usage: Usage, images: int, tier: Tier) -> None:
    if usage.jobs_open >= tier.jobs_at_once:
        raise QuotaExceeded(
            f"{usage.jobs_open} of your jobs have not ended; your tier allows {tier.jobs_at_once} at once.",
            limit=tier.jobs_at_once,
            used=usage.jobs_open,
            resets_at=None,
        )
    used = usage.images_kept + usage.images_reserved
    if used + images > tier.images_per_month:
        raise QuotaExceeded(
            f"The job may keep {images:,} images; {used:,} of the {tier.images_per_month:,} of this month are used or "
            "reserved.",
            limit=tier.images_per_month,
            used=used,
            resets_at=usage.resets_at,
        )


def _usage(rows: _Rows, now: datetime) -> Usage:
    return Usage(
        jobs_open=rows.count(rows.open, "jobs"),
        images_kept=rows.count(rows.month, "kept"),
        images_reserved=rows.count(rows.month, "reserved"),
        resets_at=_next_month(now),
    )


def _next_month(moment: datetime) -> datetime:
    utc = moment.astimezone(UTC)
    years, month = divmod(utc.month, 12)
    return datetime(utc.year + years, month + 1, 1, tzinfo=UTC)


def _changed(row: Entity, **values: Value) -> Change:
    entity = Entity(row.partition, row.row, {**row.values, **values}, row.etag)
    return Replace(entity) if row.etag else Insert(entity)


def _reservation(row: Entity) -> Reservation:
    return Reservation(
        job_id=row.row.removeprefix(_HELD),
        month=str(row.values["month"]),
        images=int(str(row.values["images"])),
        reserved_at=as_datetime(row.values["reserved_at"]),
    )
