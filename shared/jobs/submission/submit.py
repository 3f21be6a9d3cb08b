"""Step 1 of a job: takes a spec, from an HTTP call or from a producer's message, and stores the job.

What the job needs of its owner's quota is reserved first. Then the job is stored, and enqueued at last. If its message
is lost, a repetition of the call or the watchdog sends it.
"""

from dataclasses import dataclass, replace

from shared.errors import (
    AlreadyExists,
    AppError,
    Conflict,
    Damaged,
    FieldError,
    InvalidRequest,
    NotFound,
    QuotaExceeded,
)
from shared.ids import PLAIN_ID, is_plain_id, keyed_job_id
from shared.jobs.flow.job_ends import JobEnds
from shared.jobs.flow.quotas import Quotas
from shared.jobs.job.failures import OVER_QUOTA, REFUSED
from shared.jobs.job.job import Failure, Job, WebhookState
from shared.jobs.job.keys import JobKeys, message_key
from shared.jobs.job.messages import JOBS_QUEUE, message_of, names_in
from shared.jobs.job.states import State
from shared.jobs.ledger.job_data import JobData
from shared.jobs.spec.spec import JobSpec, SpecReader, encode_spec
from shared.jobs.submission.datasets import note_use
from shared.jobs.submission.spec_checks import SpecChecks
from shared.runtime import Runtime
from shared.sources.stored.datasets import DatasetConfig
from shared.telemetry.correlation import current_origin
from shared.text.plain_text import one_line

_MAX_MESSAGE_ID = 100


@dataclass(frozen=True, slots=True)
class Submission:
    """A spec and its owner.

    Attributes:
        user_id: The owner.
        spec: What the job is to make.
        key: The idempotency key. All submissions with one key are one job.
        job_id: The id that the job must have; None for any.
        message_id: The id of the queue message that the spec came in; empty if it came by HTTP.
    """

    user_id: str
    spec: JobSpec
    key: str | None = None
    job_id: str | None = None
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submitted job. `replayed` says that an earlier call has made it."""

    job: Job
    replayed: bool


class Submit:
    """Stores and enqueues new jobs. `specs` reads their specs."""

    def __init__(
        self,
        data: JobData,
        keys: JobKeys,
        specs: SpecReader,
        checks: SpecChecks,
        quotas: Quotas,
        runtime: Runtime,
    ) -> None:
        self.specs = specs
        self._jobs = data.jobs
        self._queues = data.storage.queues
        self._keys = keys
        self._checks = checks
        self._quotas = quotas
        self._runtime = runtime
        self._ends = JobEnds(data.ledger, runtime.telemetry)

    async def run(self, submission: Submission) -> Job:
        """Does what `accept` does; returns only the job."""
        return (await self.accept(submission)).job

    async def accept(self, submission: Submission) -> Submitted:
        """Stores the job and enqueues it. Repeated with the same key and spec, it returns the same job.

        A repetition also returns the job if the spec would be refused by now, because a list or a dataset that it names
        is deleted.

        Raises:
            InvalidRequest: a source lacks a setting, the user has no dataset or list that the spec names, the webhook's
                host has an address that the app does not call, or the id is not valid.
            Conflict: the key or the id belongs to a job of another spec, or the id to another user.
            Forbidden: the owner is not an active user.
            QuotaExceeded: the owner's tier leaves no room.
        """
        try:
            spec = await self._complete(submission)
        except InvalidRequest:
            earlier = await self._earlier_job(submission)
            if earlier is None:
                raise
            submitted = Submitted(earlier, replayed=True)
        else:
            submitted = await self._make(replace(submission, spec=spec))
        job = submitted.job
        if job.state is State.QUEUED:
            await self._queues.send(JOBS_QUEUE, message_of(job))
        if not submitted.replayed:
            return submitted
        return replace(submitted, job=await self._jobs.require(job.user_id, job.id))

    async def _make(self, submission: Submission) -> Submitted:
        """Stores the job, unless the submission is a repetition."""
        job_id = self._job_id(submission)
        now = self._runtime.clock.now()
        webhook = WebhookState.PENDING if submission.spec.webhook_url else WebhookState.NONE
        job = Job(
            id=job_id,
            user_id=submission.user_id,
            name=submission.spec.name,
            state=State.QUEUED,
            created_at=now,
            updated_at=now,
            webhook=webhook,
            origin=current_origin(),
            message_id=one_line(submission.message_id, _MAX_MESSAGE_ID),
        )
        try:
            return Submitted(await self._store(job, submission), replayed=False)
        except AlreadyExists:
            return Submitted(await self._same_job(submission, job_id), replayed=True)

    async def _complete(self, submission: Submission) -> JobSpec:
        """Returns the spec with what the app adds to it, and notes the use of the lists and datasets that it names."""
        self.specs.check_sources(submission.spec)
        spec = await self._checks.complete(submission.spec, submission.user_id)
        await self._checks.lists.note_use(submission.user_id, spec)
        await note_use(spec, submission.user_id, self._checks.catalog, self._runtime.clock.now())
        return spec

    async def _earlier_job(self, submission: Submission) -> Job | None:
        """Returns the job that an earlier submission with the same key or id has made, or None if there is none.

        Raises:
            Conflict: that was a job of another spec.
        """
        job_id = submission.job_id
        if job_id is None and submission.key is not None:
            job_id = keyed_job_id(submission.user_id, submission.key)
        if job_id is None or not is_plain_id(job_id):
            return None
        job = await self._jobs.get(submission.user_id, job_id)
        if job is None or (job.failure is not None and job.failure.code in {REFUSED, OVER_QUOTA}):
            # what a message asked for was refused, and is refused again
            return None
        return await self._same_job(submission, job_id)

    async def _store(self, job: Job, submission: Submission) -> Job:
        """Reserves what the job needs, and stores it.

        Raises:
            AlreadyExists: the user has a job of this id, or another user has files under it. Nothing is reserved.
        """
        may_exist = submission.key is not None or submission.job_id is not None
        limited = may_exist and self._quotas.apply_to(job)
        if limited and await self._jobs.get(job.user_id, job.id) is not None:
            # A repetition is answered, however little room there is.
            raise AlreadyExists(f"There is a job {job.id} already.")
        grant = await self._quotas.reserve(job, submission.spec)
        try:
            return await self._jobs.create(grant.job, submission.spec, is_new_id=not may_exist)
        except AlreadyExists:
            await self._quotas.give_back(grant)
            raise

    async def record_refusal(self, user_id: str, message_id: str, data: object, error: AppError) -> bool:
        """Stores a failed job for a producer's message that cannot become a job. There is one for each message.

        Its id is the one that the message's job would have without a `job_id`. If there is a job of that id, nothing is
        done. The `job_id` that the message asks for stays free for the corrected message. Until that comes, the failed
        job is found by it.

        Returns:
            Whether this call made the failed job, and so reported it.
        """
        wanted, name = names_in(data)
        wrong = error.fields if isinstance(error, InvalidRequest) else ()
        fields = "; ".join(f"{item.field}: {item.message}" for item in wrong)
        code = OVER_QUOTA if isinstance(error, QuotaExceeded) else REFUSED
        job_id = keyed_job_id(user_id, message_key(message_id))
        now = self._runtime.clock.now()
        job = Job(
            id=job_id,
            user_id=user_id,
            name=name or "refused message",
            state=State.FAILED,
            created_at=now,
            updated_at=now,
            failure=Failure(code, f"{error.detail} {fields}".strip()),
            origin=current_origin(),
            message_id=one_line(message_id, _MAX_MESSAGE_ID),
            requested_id=wanted or "",
        )
        first = await self._jobs.create_ended(job)
        if first:
            await self._ends.report(job, images=0, cause=error)
        stored = await self._jobs.get(user_id, job_id)
        # its owner may have deleted it
        if stored is not None and stored.requested_id:
            await self._keys.note_refusal(stored.requested_id, stored)
        return first

    def _job_id(self, submission: Submission) -> str:
        """Returns the id that the submission asks for, or the one that its key has, or a new one."""
        if submission.job_id is not None:
            if not is_plain_id(submission.job_id):
                raise InvalidRequest("The job's id is not valid.", (FieldError("job_id", PLAIN_ID),))
            return submission.job_id
        if submission.key is None:
            return self._runtime.ids.job_id()
        return keyed_job_id(submission.user_id, submission.key)

    async def _same_job(self, submission: Submission, job_id: str) -> Job:
        job = await self._jobs.get(submission.user_id, job_id)
        if job is None:
            raise Conflict(
                "The key or id is taken: by another user, by a job of another spec that is being made, or by a job or "
                "dataset that is still being deleted."
            )
        try:
            same = _as_asked(await self._jobs.spec(job_id)) == _as_asked(submission.spec)
        except NotFound:
            # The spec was deleted after the job's end. Then the key or the id alone decides.
            return job
        except Damaged:
            raise Conflict("There is a job for this key or id already, and its spec is damaged.") from None
        if not same:
            raise Conflict("There is a job for this key or id already, and its spec is another one.")
        return job


def _as_asked(spec: JobSpec) -> bytes:
    """Returns the spec's JSON without what the app adds to it, which changes when a dataset gets a revision."""
    sources = [
        config.model_copy(update={"records_blob": None}) if isinstance(config, DatasetConfig) else config
        for config in spec.sources
    ]
    return encode_spec(spec.model_copy(update={"sources": tuple(sources)}))
