"""Finds jobs by their other names: ids of messages, and ids that refused messages asked for.

The id of a message is the key that the job's own id is computed from, so nothing is stored for it. An id that a refused
message asked for is a row in a partition of its user, which is deleted with its failed job.
"""

import contextlib
import hashlib
from dataclasses import dataclass
from datetime import datetime

from shared.errors import Changed, NotFound
from shared.ids import keyed_job_id
from shared.jobs.job.job import Job
from shared.jobs.job.store import JobStore
from shared.storage.compare_and_swap import compare_and_swap
from shared.storage.entities import Delete, Entity, EntityStore, Insert, Replace, Value

_TABLE = "jobs"


def message_key(message_id: str) -> str:
    """Returns the idempotency key for a producer's message, which may be delivered more than once."""
    return f"queue:{message_id}"


@dataclass(frozen=True, slots=True)
class JobKeys:
    """Stores and finds other names of all users' jobs. Every method may be repeated."""

    entities: EntityStore
    jobs: JobStore

    async def note_refusal(self, requested_id: str, job: Job) -> None:
        """Stores the id that a refused message asked for as a name of the message's failed job.

        If several refused messages asked for one id, it is a name of the latest job.
        """
        row = _row(job.user_id, requested_id)
        values: dict[str, Value] = {"job_id": job.id, "at": job.created_at}

        async def note(stored: Entity | None) -> None:
            if stored is not None and _moment(stored) >= job.created_at:
                return
            entity = Entity(row.partition, row.row, values, stored.etag if stored else "")
            await self.entities.apply(_TABLE, row.partition, [Replace(entity) if stored else Insert(entity)])

        busy = "The names of the job are too busy."
        await compare_and_swap(lambda: self._stored(job.user_id, requested_id), note, busy=busy)

    async def find(self, user_id: str, name: str) -> Job:
        """Returns the user's job with this id or name.

        An id comes first, then an id that a refused message asked for, then the id of a queue message.

        Raises:
            NotFound: there is no such job.
        """
        job = await self.jobs.get(user_id, name)
        if job is None:
            stored = await self._stored(user_id, name)
            job = await self.jobs.get(user_id, str(stored.values["job_id"])) if stored else None
        if job is None:
            job = await self.jobs.get(user_id, keyed_job_id(user_id, message_key(name)))
        if job is None:
            raise NotFound(f"There is no job {name}.")
        return job

    async def forget(self, job: Job) -> None:
        """Deletes the stored name of a deleted job: the id that its refused message asked for. Idempotent."""
        stored = await self._stored(job.user_id, job.requested_id) if job.requested_id else None
        if stored is not None and stored.values["job_id"] == job.id:
            with contextlib.suppress(Changed):
                await self.entities.apply(_TABLE, stored.partition, [Delete(stored.row)])

    async def erase(self, user_id: str) -> None:
        """Deletes all stored names of a user's jobs. Idempotent."""
        await self.entities.erase(_TABLE, _partition(user_id))

    async def _stored(self, user_id: str, requested_id: str) -> Entity | None:
        row = _row(user_id, requested_id)
        return await self.entities.get(_TABLE, row.partition, row.row)


def _partition(user_id: str) -> str:
    return f"~refused-{user_id}"


def _row(user_id: str, requested_id: str) -> Entity:
    digest = hashlib.sha256(requested_id.encode("utf-8", "surrogatepass")).hexdigest()
    return Entity(_partition(user_id), digest)


def _moment(entity: Entity) -> datetime:
    at = entity.values["at"]
    if not isinstance(at, datetime):
        raise TypeError(f"expected a datetime, found {type(at).__name__}")
    return at
