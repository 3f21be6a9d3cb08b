"""Counts what users use of their tier's limits: jobs at the same time, and images in a calendar month (UTC).

The table `usage` has a partition for each user:

    open              how many jobs hold a reservation
    month-{month}     the images that finished jobs kept in the month, and those that running jobs have reserved
    held-{job}        one job's reservation

A job makes a reservation when it is submitted or retried, and the reservation is settled after the job has ended. The
three rows change in one transaction, and each change writes `open`. So two instances cannot reserve the same images, a
reservation is settled only once, and a change that was decided on rows of before is not made.

Each reservation has a token, which the job's row carries as well: only the job of this token has the reservation. The
partition `~open` lists the tokens of all users' reservations, oldest first. A token is listed before its reservation is
made, and taken off the list after it is settled, so every reservation is listed. User ids never begin with `~`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from shared.errors import Changed, QuotaExceeded
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Change, Delete, Entity, EntityStore, Insert, Put, Replace, Value
from shared.users.quotas.reservation import Reservation, Wish, from_entity, row_of, sortable, to_entity
from shared.users.tiers import Tier

_TABLE = "usage"
_OPEN, _MONTH = "open", "month-"
_LISTED = "~open"
_BUSY = "The row of the user's usage is too busy."


@dataclass(frozen=True, slots=True)
class Usage:
    """A user's usage now. `images_kept` and `images_reserved` are those of the month that ends at `resets_at`."""

    jobs_open: int
    images_kept: int
    images_reserved: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """A token in the list of reservations, and the job that it was made for."""

    token: str
    user_id: str
    job_id: str


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a user that one change reads and writes, as they were read."""

    open: Entity
    month: Entity
    held: Reservation | None


@dataclass(frozen=True, slots=True)
class UsageStore:
    """The usage of all users. Every method may be repeated, and run at the same time.

    Calls of one process for one user run one after another, so that only processes compete for a user's rows.
    """

    entities: EntityStore
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def look_up(self, user_id: str, now: datetime) -> Usage:
        """Returns the user's usage now."""
        rows = await self._read(user_id, month_of(now), None)
        return _usage(rows, now)

    async def reserve(self, wish: Wish, tier: Tier, now: datetime) -> tuple[Reservation, bool]:
        """Reserves one of the user's jobs and a number of images, unless the job has a reservation.

        Returns:
            The reservation of the job, and whether this call has made it.

        Raises:
            QuotaExceeded: that would exceed a limit of the tier. The error has the limit, the usage and the reset.
        """

        async def write(rows: _Rows) -> tuple[Reservation, bool]:
            if rows.held is not None:
                return await self._touch(rows, rows.held, now), False
            usage = _usage(rows, now)
            images = images_left(usage, wish.images, tier) if wish.takes_fewer else wish.images
            if refused := refusals(usage, images, tier, now):
                raise refused[0]
            listed = {"user_id": wish.user_id, "job_id": wish.job_id}
            await self.entities.apply(_TABLE, _LISTED, [Put(Entity(_LISTED, wish.token, listed))])
            made = Reservation(
                wish.user_id, wish.job_id, wish.token, month_of(now), images, wish.kept_before, now
            )
            versions = await self.entities.apply(
                _TABLE,
                wish.user_id,
                [
                    _changed(rows.open, jobs=_count(rows.open, "jobs") + 1),
                    _changed(rows.month, reserved=_count(rows.month, "reserved") + images),
                    Insert(to_entity(made)),
                ],
            )
            return replace(made, version=versions[-1]), True

        return await self._swap(wish.user_id, wish.job_id, month_of(now), write)

    async def settle(self, user_id: str, job_id: str, token: str, images: int) -> bool:
        """Replaces the reservation with this token by the `images` that the job's dataset has.

        Those that an earlier revision kept are not counted again.

        Returns:
            Whether the job had this reservation.
        """
        return await self._close(user_id, job_id, lambda held: held.token == token, images)

    async def release(self, reservation: Reservation) -> bool:
        """Takes back a reservation of which no image was kept, unless somebody has asked for it since it was read.

        Returns:
            Whether it was taken back.
        """

        def unchanged(held: Reservation) -> bool:
            return (held.token, held.version) == (reservation.token, reservation.version)

        return await self._close(reservation.user_id, reservation.job_id, unchanged, 0)

    async def find(self, user_id: str, job_id: str) -> Reservation | None:
        """Returns the reservation of a job, or None if it has none."""
        held = await self.entities.get(_TABLE, user_id, row_of(job_id))
        return from_entity(held) if held else None

    async def listed(self, before: datetime) -> AsyncIterator[Listed]:
        """Yields the reservations of all users that were first asked for before a moment, the oldest first."""
        async for row in self.entities.query(_TABLE, _LISTED, before=sortable(before)):
            yield Listed(row.row, str(row.values["user_id"]), str(row.values["job_id"]))

    async def unlist(self, token: str) -> None:
        """Deletes a token from the list. Call it only if its reservation is settled or was never made."""
        with contextlib.suppress(Changed):
            await self.entities.apply(_TABLE, _LISTED, [Delete(token)])

    async def _touch(self, rows: _Rows, held: Reservation, now: datetime) -> Reservation:
        """Notes that another call counts on the reservation, so that it is not taken back."""
        changes = [_changed(rows.open), Replace(to_entity(replace(held, touched_at=now)))]
        await self.entities.apply(_TABLE, held.user_id, changes)
        return held

    async def _close(
        self, user_id: str, job_id: str, matches: Callable[[Reservation], bool], images: int
    ) -> bool:
        held = await self.find(user_id, job_id)
        if held is None or not matches(held):
            return False

        async def write(rows: _Rows) -> bool:
            if rows.held is None or not matches(rows.held):
                return False
            changes = [
                _changed(rows.open, jobs=max(0, _count(rows.open, "jobs") - 1)),
                _changed(
                    rows.month,
                    reserved=max(0, _count(rows.month, "reserved") - rows.held.images),
                    kept=_count(rows.month, "kept") + max(0, images - rows.held.kept_before),
                ),
                Delete(row_of(job_id)),
            ]
            await self.entities.apply(_TABLE, user_id, changes)
            return True

        closed = await self._swap(user_id, job_id, held.month, write)
        if closed:
            await self.unlist(held.token)
        return closed

    async def erase(self, user_id: str) -> None:
        """Deletes the usage of a user who is deleted."""
        async for row in self.entities.query(_TABLE, user_id, after=row_of(""), before=row_of("~")):
            await self.unlist(from_entity(row).token)
        await self.entities.erase(_TABLE, user_id)

    async def _swap[Result](
        self, user_id: str, job_id: str, month: str, write: Callable[[_Rows], Awaitable[Result]]
    ) -> Result:
        lock = self._locks.get(user_id) or self._locks.setdefault(user_id, asyncio.Lock())
        async with lock:
            return await compare_and_swap(lambda: self._read(user_id, month, job_id), write, busy=_BUSY)

    async def _read(self, user_id: str, month: str, job_id: str | None) -> _Rows:
        # `open` is read first: if another row changes after that, `open` has another version when it is written
        opened = await self.entities.get(_TABLE, user_id, _OPEN)
        monthly = await self.entities.get(_TABLE, user_id, _MONTH + month)
        held = await self.find(user_id, job_id) if job_id is not None else None
        return _Rows(opened or Entity(user_id, _OPEN), monthly or Entity(user_id, _MONTH + month), held)


def month_of(moment: datetime) -> str:
    """Returns the calendar month (UTC), such as `2026-11`."""
    return f"{moment.astimezone(UTC):%Y-%m}"


def images_left(usage: Usage, images: int, tier: Tier) -> int:
    """Returns how many of these images the month leaves.

    If it leaves none, it returns all of them: `refusals` then says so.
    """
    left = tier.images_per_month - usage.images_kept - usage.images_reserved
    return min(images, left) if left > 0 else images


def refusals(usage: Usage, images: int, tier: Tier, now: datetime) -> Sequence[QuotaExceeded]:
    """Returns why a job that may keep this many images gets no reservation now; nothing if it gets one."""
    found = []
    if usage.jobs_open >= tier.jobs_at_once:
        found.append(
            QuotaExceeded(
                f"{usage.jobs_open} of your jobs have not ended; your tier allows {tier.jobs_at_once} at once. "
                "Wait for one to end, or cancel one.",
                limit=tier.jobs_at_once,
                used=usage.jobs_open,
            )
        )
    used = usage.images_kept + usage.images_reserved
    if used + images > tier.images_per_month:
        found.append(
            QuotaExceeded(
                f"The job may keep {images:,} images; {used:,} of the {tier.images_per_month:,} of this month are used "
                f"or reserved. Ask for fewer images, or wait for a job to end, or for the new month, which begins at "
                f"{usage.resets_at:%Y-%m-%dT%H:%M:%SZ}.",
                limit=tier.images_per_month,
                used=used,
                resets_at=usage.resets_at,
                retry_after_seconds=(usage.resets_at - now).total_seconds(),
            )
        )
    return found


def _usage(rows: _Rows, now: datetime) -> Usage:
    return Usage(
        jobs_open=_count(rows.open, "jobs"),
        images_kept=_count(rows.month, "kept"),
        images_reserved=_count(rows.month, "reserved"),
        resets_at=_next_month(now),
    )


def _next_month(moment: datetime) -> datetime:
    utc = moment.astimezone(UTC)
    years, month = divmod(utc.month, 12)
    return datetime(utc.year + years, month + 1, 1, tzinfo=UTC)


def _count(row: Entity, name: str) -> int:
    return int(str(row.values.get(name, 0)))


def _changed(row: Entity, **values: Value) -> Change:
    entity = Entity(row.partition, row.row, {**row.values, **values}, row.etag)
    return Replace(entity) if row.etag else Insert(entity)
