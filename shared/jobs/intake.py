"""Where queue messages come in: tells the app's own from producers', and poison from both.

A producer is an equal of the HTTP API: its spec goes the same way, and what is wrong with it is shown as a failed
job, since there is nobody to answer.
"""

from dataclasses import dataclass

from shared.clock import Deadline
from shared.errors import Conflict, InvalidRequest
from shared.jobs.archive_step.archive import Archive
from shared.jobs.crawl import Crawl
from shared.jobs.discovery.discover import Discover
from shared.jobs.flow.dropped_message import report_dropped
from shared.jobs.flow.watchdog import Watchdog
from shared.jobs.job.failures import ARCHIVE_CRASHED, DISCOVERY_CRASHED
from shared.jobs.job.job import Failure
from shared.jobs.job.keys import message_key
from shared.jobs.job.message_json import decode_json
from shared.jobs.job.messages import (
    ForgedMessage,
    names_in,
    read_chunk_message,
    read_job_message,
    split_spec,
    without_origin,
)
from shared.jobs.job.store import JobStore
from shared.jobs.submission.image_list import parse_image_list
from shared.jobs.submission.submit import Submission, Submit
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry
from shared.text.strict_json import FlawedJson

_DISCOVERY_CRASHED = Failure(DISCOVERY_CRASHED, "Discovery failed again and again.")
_ARCHIVE_CRASHED = Failure(ARCHIVE_CRASHED, "Archiving failed again and again.")


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a job that messages begin."""

    submit: Submit
    discover: Discover
    crawl: Crawl
    archive: Archive


class Intake:
    """Hands each message to the step it is for. `user_id` owns what producers ask for."""

    def __init__(
        self, steps: Steps, watchdog: Watchdog, jobs: JobStore, telemetry: Telemetry, user_id: str
    ) -> None:
        self._steps = steps
        self._jobs = jobs
        self._watchdog = watchdog
        self._telemetry = telemetry
        self._user_id = user_id

    async def job_message(self, message_id: str, text: str | bytes, deadline: Deadline) -> None:
        """From `crawl-jobs`: a job to discover, or a spec to take in."""
        data: object = None
        try:
            data = decode_json(text)
            own = read_job_message(data)
            if own is None:
                job_id, asked = split_spec(data)
                key = None if job_id is not None else message_key(message_id)
                spec = self._steps.submit.specs.parse(asked)
                await self._steps.submit.run(
                    Submission(self._user_id, spec, key, job_id, message_id=message_id)
                )
                return
        except ForgedMessage as error:
            report_dropped(self._telemetry, error, "intake")
            return
        except (InvalidRequest, Conflict) as error:
            await self._refuse(message_id, data, error)
            return
        await self._steps.discover.run(own, deadline)

    async def chunk_message(self, text: str | bytes, deadline: Deadline, *, again: bool = True) -> None:
        """From `crawl-chunks`: a chunk to crawl; anything else is reported and dropped.

        `again` says that the message may have been delivered before.
        """
        try:
            message = read_chunk_message(decode_json(text))
        except InvalidRequest as error:
            report_dropped(self._telemetry, error, "crawl_chunk")
            return
        await self._steps.crawl.run(message, deadline, again=again)

    async def archive_message(self, message_id: str, text: str | bytes, deadline: Deadline) -> None:
        """From `dataset-archives`: a job to archive, or a list of stored images to make a dataset of."""
        data: object = None
        try:
            data = decode_json(text)
            own = read_job_message(data)
            if own is None:
                images = parse_image_list(without_origin(data))
                key = None if images.job_id else message_key(message_id)
                asked = Submission(
                    self._user_id,
                    images.spec(self._steps.submit.specs),
                    key,
                    images.job_id,
                    message_id=message_id,
                )
                await self._steps.submit.run(asked)
                return
        except ForgedMessage as error:
            report_dropped(self._telemetry, error, "intake")
            return
        except (InvalidRequest, Conflict) as error:
            await self._refuse(message_id, data, error)
            return
        await self._steps.archive.run(own, deadline)

    async def poisoned_job(self, message_id: str, text: str | bytes) -> None:
        """From `crawl-jobs-poison`: the job is sent on a few times more, a refused message becomes a failed job."""
        await self._poisoned(message_id, text, _DISCOVERY_CRASHED)

    async def poisoned_chunk(self, text: str | bytes) -> None:
        """From `crawl-chunks-poison`: the chunk is halved, a candidate that is alone recorded as crashed."""
        try:
            message = read_chunk_message(decode_json(text))
        except InvalidRequest as error:
            report_dropped(self._telemetry, error, "crawl_chunk_poison")
            return
        await self._steps.crawl.give_up(message)

    async def poisoned_archive(self, message_id: str, text: str | bytes) -> None:
        """From `dataset-archives-poison`: likewise."""
        await self._poisoned(message_id, text, _ARCHIVE_CRASHED)

    async def _poisoned(self, message_id: str, text: str | bytes, failure: Failure) -> None:
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
            await self._watchdog.poisoned(job, failure)

    async def _refuse_poison(self, message_id: str, data: object) -> None:
        """Refuse a producer's message, unless the job stands that it asks for: that may be of its own making."""
        error = InvalidRequest("The message could not be handled.")
        job_id, _ = names_in(data)
        if job_id is None or await self._jobs.get(self._user_id, job_id) is None:
            await self._refuse(message_id, data, error)
        else:
            signals.failure(self._telemetry, error, operation="intake")

    async def _refuse(self, message_id: str, data: object, error: InvalidRequest | Conflict) -> None:
        signals.failure(self._telemetry, error, operation="intake")
        if isinstance(error, FlawedJson):  # its job_id and name may be sound
            data = error.data
        fields = error.fields if isinstance(error, InvalidRequest) else ()
        refusal = InvalidRequest(error.detail, fields)
        await self._steps.submit.record_refusal(self._user_id, message_id, data, refusal)
