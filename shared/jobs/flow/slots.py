"""Limits how many jobs of one user run at a time. The others wait, and begin in the order of their submission.

A user has a number of slots. A job holds one of them while it runs: from before its discovery until it has ended. The
slots of a user and the jobs that wait for one are rows of one partition:

    slot-0000 …         the slot's holder: a revision of a job, or nobody
    queued-{time}-{id}  a job that waits, or has waited and not ended yet; `time` is when it was submitted

Why no slot is given twice: a slot changes its holder by compare-and-swap only.

Why no slot is lost: a job that finds no slot writes that it waits, and then looks for a slot once more. A job that
ends frees its slot, and then reads who waits. Whichever writes second sees what the other has written. If two jobs end
at the same time, the second to read sees both slots free. A job that dies between its end and the release of its slot
leaves the slot abandoned: a job that finds no free slot takes over an abandoned one.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.concurrency import process_concurrently
from shared.errors import AlreadyExists, Changed
from shared.jobs.flow.owner_limits import OwnerLimits
from shared.jobs.job.job import Job
from shared.jobs.job.messages import JOBS_QUEUE, message_of
from shared.jobs.job.store import JobStore
from shared.storage.entities import Delete, Entity, EntityStore, Insert, Put, Replace, Value
from shared.storage.queues import QueueSender

_TABLE = "jobs"
_SLOT = "slot-"
_QUEUED = "queued-"
_READS_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class _Slot:
    """A slot as it was read. `holder` is a job's id or empty; `etag` is empty if the slot was never taken.

    `revision` names the revision of the holder. A slot that is not `usable` is beyond the limit, which was higher at an
    earlier time.
    """

    row: str
    holder: str = ""
    revision: str = ""
    etag: str = ""
    usable: bool = True


@dataclass(frozen=True, slots=True)
class _Queued:
    """A job that waits for a slot, or has waited. `revision` names the revision of the job that wrote the row."""

    row: str
    job_id: str
    revision: str
    etag: str


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of all users. Every method may be repeated, and run at the same time.

    `limits` says how many slots each user has.
    """

    entities: EntityStore
    jobs: JobStore
    queues: QueueSender
    limits: OwnerLimits

    async def claim(self, job: Job) -> bool:
        """Gives the job a slot unless it holds one; returns whether it holds one now.

        If there is no slot for it, the job waits, and its message is sent again when there is one.
        """
        slots = await self._slots(job)
        if not (await self._take_free(job, slots) or await self._take_abandoned(job, slots)):
            queued = Entity(_partition(job), _queued_row(job), _values(job))
            await self.entities.apply(_TABLE, queued.partition, [Put(queued)])
            if not await self._take_free(job, await self._slots(job)):
                return False
        return True

    async def has_room(self, job: Job) -> bool:
        """Returns whether the job holds a slot, or could take one now."""
        slots = await self._slots(job)
        return any(slot.holder == job.id for slot in slots) or await self._count_takeable(job, slots) > 0

    async def release(self, job: Job) -> None:
        """Frees the slot of a job that has ended, and sends on as many waiting jobs as there are slots for.

        A later revision of the job, which a retry has begun, keeps its slot and its place.
        """
        for slot in await self._slots(job):
            if _holds(slot, job):
                await self._set_holder(job, slot, None)
        queued = await self._queued(job)
        ours = job.id, _revision(job)
        for waiting in queued:
            if (waiting.job_id, waiting.revision) == ours:
                await self._forget(job, waiting)
        others = [waiting for waiting in queued if (waiting.job_id, waiting.revision) != ours]
        if others:
            await self._send_on(job, others, await self._slots(job))

    async def erase(self, user_id: str) -> None:
        """Deletes the slots of a user who has no jobs any more. Idempotent."""
        await self.entities.erase(_TABLE, _partition_of(user_id))

    async def _send_on(self, job: Job, queued: Sequence[_Queued], slots: Sequence[_Slot]) -> None:
        """Sends the messages of the first jobs that wait, one for each slot that can be taken."""
        room = await self._count_takeable(job, slots)
        holders = {slot.holder for slot in slots}
        for waiting in queued:
            if room <= 0:
                return
            if waiting.job_id in holders:
                # it has its slot; its end deletes this row
                continue
            following = await self.jobs.get(job.user_id, waiting.job_id)
            if following is None or following.state.terminal:
                await self._forget(job, waiting)
                continue
            await self.queues.send(JOBS_QUEUE, message_of(following))
            room -= 1

    async def _take_free(self, job: Job, slots: Sequence[_Slot]) -> bool:
        """Takes a slot that nobody holds, unless the job holds one; returns whether it holds one now.

        A slot that an earlier revision of the job has left is taken first.
        """
        if any(_holds(slot, job) for slot in slots):
            return True
        left = [slot for slot in slots if slot.holder == job.id]
        free = [slot for slot in slots if slot.usable and not slot.holder]
        for slot in (*left, *free):
            if await self._set_holder(job, slot, job):
                return True
        return False

    async def _take_abandoned(self, job: Job, slots: Sequence[_Slot]) -> bool:
        """Takes over a slot whose holder has ended; returns whether the job holds one now."""
        for slot in await self._abandoned(job, slots):
            if await self._set_holder(job, slot, job):
                return True
        return False

    async def _count_takeable(self, job: Job, slots: Sequence[_Slot]) -> int:
        """Returns how many slots are free or abandoned."""
        free = sum(slot.usable and not slot.holder for slot in slots)
        return free + len(await self._abandoned(job, slots))

    async def _abandoned(self, job: Job, slots: Sequence[_Slot]) -> Sequence[_Slot]:
        """Returns the slots whose holders have ended. It reads each holder's row, so call it only if needed."""
        abandoned: list[_Slot] = []

        async def check(slot: _Slot) -> None:
            holder = await self.jobs.get(job.user_id, slot.holder)
            if holder is None or holder.state.terminal:
                abandoned.append(slot)

        held = [slot for slot in slots if slot.usable and slot.holder]
        await process_concurrently(held, check, _READS_AT_A_TIME)
        return abandoned

    async def _set_holder(self, job: Job, slot: _Slot, holder: Job | None) -> bool:
        """Writes who holds the slot; returns False if somebody else has written it since it was read."""
        entity = Entity(_partition(job), slot.row, _values(holder), slot.etag)
        change = Replace(entity) if slot.etag else Insert(entity)
        try:
            await self.entities.apply(_TABLE, entity.partition, [change])
        except (AlreadyExists, Changed):
            return False
        return True

    async def _slots(self, job: Job) -> Sequence[_Slot]:
        """Reads all slots of the job's user by one query. Slots that were never taken have no row."""
        limit = await self.limits.jobs_at_once(job.user_id)
        stored: dict[str, _Slot] = {}
        async for entity in self._rows(job, _SLOT):
            stored[entity.row] = _Slot(entity.row, *_read(entity), entity.etag)
        names = [f"{_SLOT}{number:04}" for number in range(limit)]
        usable = [stored.pop(name, _Slot(name)) for name in names]
        return [*usable, *(replace(slot, usable=False) for slot in stored.values())]

    async def _queued(self, job: Job) -> Sequence[_Queued]:
        """Reads the waiting jobs of the job's user, in the order of their submission."""
        return [_Queued(entity.row, *_read(entity), entity.etag) async for entity in self._rows(job, _QUEUED)]

    def _rows(self, job: Job, prefix: str) -> AsyncIterator[Entity]:
        return self.entities.query(_TABLE, _partition(job), after=prefix, before=f"{prefix}~")

    async def _forget(self, job: Job, waiting: _Queued) -> None:
        """Deletes the row of a job that does not wait any more, unless a retry of that job has written it anew."""
        with contextlib.suppress(Changed):
            await self.entities.apply(_TABLE, _partition(job), [Delete(waiting.row, waiting.etag)])


def _partition(job: Job) -> str:
    return _partition_of(job.user_id)


def _partition_of(user_id: str) -> str:
    return f"~slots-{user_id}"


def _queued_row(job: Job) -> str:
    return f"{_QUEUED}{job.created_at:%Y%m%dT%H%M%S.%f}-{job.id}"


def _holds(slot: _Slot, job: Job) -> bool:
    return (slot.holder, slot.revision) == (job.id, _revision(job))


def _revision(job: Job) -> str:
    """Returns a name of the job's revision, which no later job of the same id has."""
    return f"{job.created_at:%Y%m%dT%H%M%S.%f}/{job.revision}"


def _values(job: Job | None) -> Mapping[str, Value]:
    return {"job_id": job.id if job else "", "revision": _revision(job) if job else ""}


def _read(entity: Entity) -> tuple[str, str]:
    """Returns the id of the job and the name of its revision, both empty if the slot is free."""
    return str(entity.values["job_id"]), str(entity.values["revision"])
