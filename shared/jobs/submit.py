"""Step 1 of a job: take a spec, from an HTTP call or from a producer's message, and write the job down.

Persist, then enqueue: a job that stands and has no message is sent on by a repetition of the same call, or by the
watchdog.
"""

import hashlib
from dataclasses import dataclass, replace

from shared.clock import Clock
from shared.datasets.catalog import Catalog
from shared.errors import AlreadyExists, Conflict, FieldError, InvalidRequest, NotFound
from shared.ids import Ids, is_job_id
from shared.jobs.job import Failure, Job, Webhook
from shared.jobs.job_store import JobStore
from shared.jobs.messages import JOBS_QUEUE, message_of, names_in
from shared.jobs.retry import REFUSED
from shared.jobs.reuse import resolve_datasets
from shared.jobs.spec import JobSpec, encode_spec
from shared.jobs.states import State
from shared.sources.registry import SourceSettings, check_sources
from shared.storage.entities import Entity, EntityStore, Insert
from shared.storage.queues import QueueSender

_TABLE = "jobs"
_MAX_DETAIL = 3500


@dataclass(frozen=True, slots=True)
class Submission:
    """A spec and who wants it. `key` makes repetitions of one submission one job; `job_id` asks for that id."""

    user_id: str
    spec: JobSpec
    key: str | None = None
    job_id: str | None = None
    traceparent: str = ""


def message_key(message_id: str) -> str:
    """The key of what becomes of a producer's message, however often it is delivered."""
    return f"queue:{message_id}"


class Submit:
    """Takes jobs in."""

    def __init__(
        self,
        jobs: JobStore,
        entities: EntityStore,
        queues: QueueSender,
        sources: SourceSettings,
        clock: Clock,
        ids: Ids,
        catalog: Catalog,
    ) -> None:
        self._jobs = jobs
        self._entities = entities
        self._queues = queues
        self._sources = sources
        self._clock = clock
        self._ids = ids
        self._catalog = catalog

    async def run(self, submission: Submission) -> Job:
        """Write the job and enqueue it. Repeated with the same key and spec, it is the same job.

        Raises:
            InvalidRequest: a source cannot be used as this app is set up, a dataset that the spec names is not the
                user's, or the id is not a safe one.
            Conflict: the key or the id stands for another spec, or the id for what another user has.
        """
        check_sources(submission.spec.sources, self._sources)
        spec = await resolve_datasets(submission.spec, submission.user_id, self._catalog)
        submission = replace(submission, spec=spec)
        job_id = await self._job_id(submission)
        now = self._clock.now()
        webhook = Webhook.PENDING if submission.spec.webhook_url else Webhook.NONE
        job = Job(
            id=job_id,
            user_id=submission.user_id,
            name=submission.spec.name,
            state=State.QUEUED,
            created_at=now,
            updated_at=now,
            webhook=webhook,
            traceparent=submission.traceparent,
        )
        try:
            await self._jobs.create(job, submission.spec)
        except AlreadyExists:
            job = await self._same_job(submission, job_id)
        if job.state is State.QUEUED:
            await self._queues.send(JOBS_QUEUE, message_of(job))
        return await self._jobs.require(job.user_id, job.id)

    async def record_refusal(
        self, user_id: str, message_id: str, data: object, error: InvalidRequest
    ) -> None:
        """Make a producer's message that cannot become a job visible: as a failed job, once a message.

        Its id is the one that the message's job would have; where there is that job, nothing is done. It never has
        the `job_id` that a message asks for, so that this stays free for the corrected message.
        """
        wanted, name = names_in(data)
        fields = "; ".join(f"{item.field}: {item.message}" for item in error.fields)
        detail = f"{error.detail} {fields}".strip()[:_MAX_DETAIL] + f" [queue message {message_id[:100]}]"
        if wanted is not None:
            detail += f" [job_id {wanted}]"
        job_id = await self._job_id_of_key(user_id, message_key(message_id))
        now, failure = self._clock.now(), Failure(REFUSED, detail)
        job = Job(job_id, user_id, name or "refused message", State.FAILED, now, now, failure=failure)
        await self._jobs.create_ended(job)

    async def _job_id(self, submission: Submission) -> str:
        """The id that was asked for, or that the key got at first, or a new one."""
        if submission.job_id is not None:
            if not is_job_id(submission.job_id):
                told = "must be up to 64 letters, digits, '-' and '_', beginning with a letter or digit"
                raise InvalidRequest("The job's id is not valid.", (FieldError("job_id", told),))
            return submission.job_id
        if submission.key is None:
            return self._ids.job_id(self._clock.now())
        return await self._job_id_of_key(submission.user_id, submission.key)

    async def _job_id_of_key(self, user_id: str, key: str) -> str:
        job_id = self._ids.job_id(self._clock.now())
        partition = f"~key-{user_id}"
        row = hashlib.sha256(key.encode()).hexdigest()
        try:
            entity = Entity(partition, row, {"job_id": job_id})
            await self._entities.apply(_TABLE, partition, [Insert(entity)])
        except AlreadyExists:
            stored = await self._entities.get(_TABLE, partition, row)
            if stored is None:
                raise
            return str(stored.values["job_id"])
        return job_id

    async def _same_job(self, submission: Submission, job_id: str) -> Job:
        job = await self._jobs.get(submission.user_id, job_id)
        if job is None:
            raise Conflict(
                "The key or id is taken: by another user, or by a job of another spec that is being made."
            )
        try:
            same = encode_spec(await self._jobs.spec(job_id)) == encode_spec(submission.spec)
        except NotFound:  # cleared after the job's end: then the key or the id alone decides
            return job
        if not same:
            raise Conflict("There is a job for this key or id already, and its spec is another one.")
        return job
