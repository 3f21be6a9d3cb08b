"""Takes queue messages to their steps: the app's own messages, those of producers, and poison messages of both.

A producer's message has the same rights and limits as a call of the HTTP API of its user: its spec is submitted in the
same way. Nobody waits for an answer, so a mistake in it, or a quota that is used up, is shown as a failed job.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.clock import Deadline
from shared.errors import AppError, Conflict, Forbidden, InvalidRequest, QuotaExceeded
from shared.jobs.discovery.discover import Discover
from shared.jobs.flow.dropped_message import report_dropped
from shared.jobs.flow.watchdog import Watchdog
from shared.jobs.job.failures import ARCHIVE_CRASHED, DISCOVERY_CRASHED
from shared.jobs.job.job import Failure
from shared.jobs.job.keys import message_key
from shared.jobs.job.message_json import decode_json
from shared.jobs.job.messages import (
    ChunkMessage,
    ForgedMessage,
    JobMessage,
    names_in,
    read_chunk_message,
    read_job_message,
    split_spec,
    without_origin,
)
from shared.jobs.job.store import JobStore
from shared.jobs.spec.spec import JobSpec
from shared.jobs.submission.image_list import parse_image_list
from shared.jobs.submission.producers import Producers, without_owner
from shared.jobs.submission.submit import Submission, Submit
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry
from shared.text.strict_json import FlawedJson
from shared.users.metrics.uses import Uses

if TYPE_CHECKING:
    from shared.jobs.archive_step.archive import Archive
    from shared.jobs.crawl import Crawl

_DISCOVERY_CRASHED = Failure(DISCOVERY_CRASHED, "Discovery failed again and again.")
_ARCHIVE_CRASHED = Failure(ARCHIVE_CRASHED, "Archiving failed again and again.")


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps that messages start.

    `crawl` and `archive` return their step, so that an instance with other work does not import their libraries.
    """

    submit: Submit
    discover: Discover
    crawl: "Callable[[], Crawl]"
    archive: "Callable[[], Archive]"


class Intake:
    """Takes each message to its step.

    `producers` knows the owners of the jobs that producers submit, and `uses` reports that they submit them.
    """

    def __init__(
        self,
        steps: Steps,
        watchdog: Watchdog,
        jobs: JobStore,
        telemetry: Telemetry,
        producers: Producers,
        uses: Uses,
    ) -> None:
        self._steps = steps
        self._jobs = jobs
        self._watchdog = watchdog
        self._telemetry = telemetry
        self._producers = producers
        self._uses = uses

    async def handle_job(self, message_id: str, text: str | bytes, deadline: Deadline) -> None:
        """Handles a message of `crawl-jobs`: discovers a job, or submits the spec of a producer."""
        message = await self._own_message(message_id, text, self._spec_submission)
        if message is not None:
            async with self._unless_deleted(message):
                await self._steps.discover.run(message, deadline)

    async def handle_chunk(self, text: str | bytes, deadline: Deadline, *, redelivered: bool = True) -> None:
        """Handles a message of `crawl-chunks`: crawls a chunk. Any other message is reported and dropped.

        Pass `redelivered=False` only if the message is certainly delivered for the first time.
        """
        try:
            message = read_chunk_message(decode_json(text))
        except InvalidRequest as error:
            report_dropped(self._telemetry, error, "crawl_chunk")
            return
        async with self._unless_deleted(message):
            await self._steps.crawl().run(message, deadline, redelivered=redelivered)

    async def handle_archive(self, message_id: str, text: str | bytes, deadline: Deadline) -> None:
        """Handles a message of `dataset-archives`: archives a job, or submits a producer's list of stored images."""
        message = await self._own_message(message_id, text, self._list_submission)
        if message is not None:
            async with self._unless_deleted(message):
                await self._steps.archive().run(message, deadline)

    async def handle_poisoned_job(self, message_id: str, text: str | bytes) -> None:
        """Handles a message of `crawl-jobs-poison`: sends the job on a few more times, then fails it.

        A producer's message that cannot be handled becomes a failed job.
        """
        await self._handle_poison(message_id, text, _DISCOVERY_CRASHED)

    async def handle_poisoned_chunk(self, text: str | bytes) -> None:
        """Handles a message of `crawl-chunks-poison`: halves the chunk, or records its only candidate as crashed."""
        try:
            message = read_chunk_message(decode_json(text))
        except InvalidRequest as error:
            report_dropped(self._telemetry, error, "crawl_chunk_poison")
            return
        async with self._unless_deleted(message):
            await self._steps.crawl().handle_poison(message)

    async def handle_poisoned_archive(self, message_id: str, text: str | bytes) -> None:
        """Handles a message of `dataset-archives-poison`, as `handle_poisoned_job` does."""
        await self._handle_poison(message_id, text, _ARCHIVE_CRASHED)

    @contextlib.asynccontextmanager
    async def _unless_deleted(self, message: JobMessage | ChunkMessage) -> AsyncIterator[None]:
        """Runs the block. If the job is deleted meanwhile, its rows and blobs are gone, and errors have no meaning."""
        try:
            yield
        except AppError:
            if await self._jobs.get(message.user_id, message.job_id) is not None:
                raise

    async def _own_message(
        self,
        message_id: str,
        text: str | bytes,
        submission_of: Callable[[str, object], Awaitable[Submission]],
    ) -> JobMessage | None:
        """Returns the app's own message. The message of a producer is submitted or refused here, and None returned."""
        data: object = None
        try:
            data = decode_json(text)
            own = read_job_message(data)
            if own is None:
                submission = await submission_of(message_id, data)
                await self._steps.submit.run(submission)
                await self._uses.note_owner(submission.user_id, "submit_job")
        except ForgedMessage as error:
            report_dropped(self._telemetry, error, "intake")
            return None
        except (InvalidRequest, Conflict, Forbidden, QuotaExceeded) as error:
            await self._refuse(message_id, data, error)
            return None
        return own

    async def _spec_submission(self, message_id: str, data: object) -> Submission:
        user_id = await self._producers.owner(data)
        job_id, asked = split_spec(without_owner(data))
        spec = self._steps.submit.specs.parse(asked)
        return self._submission(user_id, message_id, spec, job_id)

    async def _list_submission(self, message_id: str, data: object) -> Submission:
        user_id = await self._producers.owner(data)
        images = parse_image_list(without_origin(without_owner(data)))
        return self._submission(user_id, message_id, images.spec(self._steps.submit.specs), images.job_id)

    def _submission(self, user_id: str, message_id: str, spec: JobSpec, job_id: str | None) -> Submission:
        """Makes a submission. The message's id is its key, unless the message asks for a job id."""
        key = message_key(message_id) if job_id is None else None
        return Submission(user_id, spec, key, job_id, message_id=message_id)

    async def _handle_poison(self, message_id: str, text: str | bytes, failure: Failure) -> None:
        try:
            data = decode_json(text)
            message = read_job_message(data)
        except ForgedMessage as error:
            report_dropped(self._telemetry, error, "intake")
            return
        except InvalidRequest as error:
            await self._refuse(message_id, None, error)
            return
        if message is None:
            await self._refuse_poison(message_id, data)
            return
        job = await self._jobs.get(message.user_id, message.job_id)
        if job is not None and job.revision == message.revision:
            await self._watchdog.handle_poison(job, failure)

    async def _refuse_poison(self, message_id: str, data: object) -> None:
        """Refuses a producer's poison message, unless the job that it asks for exists.

        The message itself may have made that job before it crashed.
        """
        error = InvalidRequest("The message could not be handled.")
        job_id, _ = names_in(data)
        user_id = await self._producers.owner_of_refusal(data)
        if job_id is None or await self._jobs.get(user_id, job_id) is None:
            await self._refuse(message_id, data, error)
        else:
            signals.failure(self._telemetry, error, operation="intake")

    async def _refuse(self, message_id: str, data: object, error: AppError) -> None:
        if isinstance(error, FlawedJson):
            # Its job_id and name may be valid.
            data = error.data
        user_id = await self._producers.owner_of_refusal(data)
        if not await self._steps.submit.record_refusal(user_id, message_id, data, error):
            signals.failure(self._telemetry, error, operation="intake")
