"""How many jobs of one user run at a time: the others wait in their queue, first come, first served.

A running job holds one of the user's slots, a row each, from the beginning of its discovery to its end. A job that
finds none writes down that it waits, and looks once more, so that no slot that is freed in between goes unnoticed.
Who ends a job frees its slot and sends on as many of those that wait as there are free slots then: where two jobs end
at the same time, the second to look sees both slots free. A slot whose holder has ended without that is taken over by
the next job that looks. A slot changes hands by compare-and-swap only, so that there are never too many.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import AlreadyExists, Changed
from shared.jobs.job.job import Job
from shared.jobs.job.messages import JOBS_QUEUE, message_of
from shared.jobs.job.store import JobStore
from shared.storage.entities import Delete, Entity, EntityStore, Insert, Put, Replace
from shared.storage.queues import QueueSender

_TABLE = "jobs"
_RUNNING = "run-"
_WAITING = "wait-"


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of all users, `limit` each. Every method may be repeated."""

    entities: EntityStore
    jobs: JobStore
    queues: QueueSender
    limit: int

    async def claim(self, job: Job) -> bool:
        """Whether the job holds a slot now; otherwise it waits, and is sent on when its turn comes."""
        if not await self._take(job):
            waiting = Entity(_partition(job), _waiting(job), {"job_id": job.id})
            await self.entities.apply(_TABLE, waiting.partition, [Put(waiting)])
            if not await self._take(job):
                return False
        await self._delete(job, _waiting(job))
        return True

    async def has_room(self, job: Job) -> bool:
        """Whether the job could have a slot."""
        return await self._free(job, await self._rows(job, _RUNNING)) > 0

    async def release(self, job: Job) -> None:
        """Free the slot of a job that has ended, and send on as many that wait as there is room for."""
        stored = await self.jobs.get(job.user_id, job.id)
        if stored is not None and not stored.state.terminal:
            return  # it is being retried, and runs
        for row in await self._rows(job, _RUNNING):
            if row.values["job_id"] == job.id:
                await self._write(job, row.row, "", row)
        await self._delete(job, _waiting(job))
        waiting = await self._rows(job, _WAITING)
        running = await self._rows(job, _RUNNING) if waiting else []
        holders = {row.values["job_id"] for row in running}
        room = await self._free(job, running) if waiting else 0
        for row in waiting:
            if room <= 0:
                return
            if row.values["job_id"] in holders:
                continue  # its turn has come, and it is about to say so
            following = await self.jobs.get(job.user_id, str(row.values["job_id"]))
            if following is None or following.state.terminal:
                await self._delete(job, row.row)
                continue
            await self.queues.send(JOBS_QUEUE, message_of(following))
            room -= 1

    async def _free(self, job: Job, rows: Sequence[Entity]) -> int:
        """How many slots the job could have, where these are those that were ever taken."""
        return self.limit - len(rows) + sum([await self._is_free(job, row) for row in rows])

    async def _take(self, job: Job) -> bool:
        held = {row.row: row for row in await self._rows(job, _RUNNING)}
        if any(row.values["job_id"] == job.id for row in held.values()):
            return True
        for number in range(self.limit):
            name = f"{_RUNNING}{number:04}"
            row = held.get(name)
            if row is not None and not await self._is_free(job, row):
                continue
            if await self._write(job, name, job.id, row):
                return True
        return False

    async def _write(self, job: Job, name: str, holder: str, before: Entity | None) -> bool:
        row = Entity(_partition(job), name, {"job_id": holder}, before.etag if before else "")
        try:
            await self.entities.apply(_TABLE, row.partition, [Replace(row) if before else Insert(row)])
        except (AlreadyExists, Changed):
            return False
        return True

    async def _is_free(self, job: Job, row: Entity) -> bool:
        """Whether nobody holds the slot, or the job itself, or one that has ended."""
        holder = str(row.values["job_id"])
        if holder in {"", job.id}:
            return True
        stored = await self.jobs.get(job.user_id, holder)
        return stored is None or stored.state.terminal

    async def _rows(self, job: Job, prefix: str) -> list[Entity]:
        rows = self.entities.query(_TABLE, _partition(job), after=prefix, before=f"{prefix}~")
        return [row async for row in rows]

    async def _delete(self, job: Job, row: str) -> None:
        try:
            await self.entities.apply(_TABLE, _partition(job), [Delete(row)])
        except Changed:
            return


def _partition(job: Job) -> str:
    return f"~slots-{job.user_id}"


def _waiting(job: Job) -> str:
    return f"{_WAITING}{job.created_at:%Y%m%dT%H%M%S.%f}-{job.id}"
