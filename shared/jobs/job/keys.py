"""Stores other names of jobs: idempotency keys, ids of messages, and ids that refused messages asked for.

Each name is a row in a partition of its user.
"""

import contextlib
import hashlib
from dataclasses import dataclass
from datetime import datetime

from shared.errors import AlreadyExists, Changed, NotFound
from shared.jobs.job.job import Job
from shared.jobs.job.store import JobStore
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Delete, Entity, EntityStore, Insert, Replace, Value

_TABLE = "jobs"


def message_key(message_id: str) -> str:
    """Returns the idempotency key for a producer's message, which may be delivered more than once."""
    return f"queue:{message_id}"


def _refused_key(job_id: str) -> str:
    return f"refused:{job_id}"


@dataclass(frozen=True, slots=True)
class JobKeys:
    """Stores and finds names of all users' jobs. Every method may be repeated."""

    entities: EntityStore
    jobs: JobStore

    async def claim(self, user_id: str, key: str, job_id: str) -> str:
        """Gives the key this job id, unless it has one already; returns the id that the key has."""
        row = _row(user_id, key)
        try:
            await self.entities.apply(
                _TABLE, row.partition, [Insert(Entity(row.partition, row.row, {"job_id": job_id}))]
            )
        except AlreadyExists:
            stored = await self._stored(user_id, key)
            if stored is None:
                raise
            return str(stored.values["job_id"])
        return job_id

    async def claimed(self, user_id: str, key: str) -> str | None:
        """Returns the job id that the key has, or None if it has none."""
        stored = await self._stored(user_id, key)
        return str(stored.values["job_id"]) if stored else None

    async def note_refusal(self, requested_id: str, job: Job) -> None:
        """Stores the id that a refused message asked for as a name of the message's failed job.

        If several refused messages asked for one id, it is a name of the latest job.
        """
        key = _refused_key(requested_id)
        row = _row(job.user_id, key)
        values: dict[str, Value] = {"job_id": job.id, "at": job.created_at}

        async def note(stored: Entity | None) -> None:
            if stored is not None and _moment(stored) >= job.created_at:
                return
            entity = Entity(row.partition, row.row, values, stored.etag if stored else "")
            await self.entities.apply(_TABLE, row.partition, [Replace(entity) if stored else Insert(entity)])

        busy = "The names of the job are too busy."
        await compare_and_swap(lambda: self._stored(job.user_id, key), note, busy=busy)

    async def find(self, user_id: str, name: str) -> Job:
        """Returns the user's job with this id or name.

        An id comes first, then an id that a refused message asked for, then the id of a queue message.

        Raises:
            NotFound: there is no such job.
        """
        job = await self.jobs.get(user_id, name)
        for key in (_refused_key(name), message_key(name)):
            stored = await self._stored(user_id, key) if job is None else None
            if stored is not None:
                job = await self.jobs.get(user_id, str(stored.values["job_id"]))
        if job is None:
            raise NotFound(f"There is no job {name}.")
        return job

    async def forget(self, job: Job) -> None:
        """Deletes the names of a deleted job that its row has: the id of its message, and the id that this asked for.

        Its idempotency key stays. A repeated call with that key makes a new job of the same id. Idempotent.
        """
        names = {
            message_key(job.message_id): job.message_id,
            _refused_key(job.requested_id): job.requested_id,
        }
        for key in (key for key, name in names.items() if name):
            stored = await self._stored(job.user_id, key)
            if stored is not None and stored.values["job_id"] == job.id:
                with contextlib.suppress(Changed):
                    await self.entities.apply(_TABLE, stored.partition, [Delete(stored.row)])

    async def erase(self, user_id: str) -> None:
        """Deletes all names of a user's jobs. Idempotent."""
        await self.entities.erase(_TABLE, _partition(user_id))

    async def _stored(self, user_id: str, key: str) -> Entity | None:
        row = _row(user_id, key)
        return await self.entities.get(_TABLE, row.partition, row.row)


def _partition(user_id: str) -> str:
    return f"~key-{user_id}"


def _row(user_id: str, key: str) -> Entity:
    return Entity(_partition(user_id), hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest())


def _moment(entity: Entity) -> datetime:
    at = entity.values["at"]
    if not isinstance(at, datetime):
        raise TypeError(f"expected a datetime, found {type(at).__name__}")
    return at
