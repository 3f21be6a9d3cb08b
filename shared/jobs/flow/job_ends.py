"""Reports the ends of jobs to the telemetry: an event with the outcome, and an exception if the job failed."""

from shared.errors import AppError
from shared.jobs.job.job import Job
from shared.jobs.job.states import State
from shared.jobs.ledger.chunks import ChunkLedger
from shared.telemetry import signals
from shared.telemetry.correlation import current_name, working_for
from shared.telemetry.telemetry import Telemetry

_CANCELLED = "requested"


class JobFailed(Exception):
    """A job ended without a dataset. The text says why; the cause is the error that made it fail, if there was one."""


class JobEnds:
    """Reports the ends of jobs. The run that has written an end reports it right after that, so at most once."""

    def __init__(self, ledger: ChunkLedger, telemetry: Telemetry) -> None:
        self._ledger = ledger
        self._telemetry = telemetry

    async def report(
        self, job: Job, *, images: int | None = None, cause: BaseException | None = None
    ) -> None:
        """Reports the end of a job, which is the stored one. `images` is the number of images in its dataset.

        If it is None, the images that the job's chunks kept are counted. The signals belong to the job's trace, even
        if the watchdog or a call has ended the job. `cause` is the error that made it fail.
        """
        if images is None:
            images = await self._kept(job)
        seconds = job.duration_seconds
        with working_for(job.origin, job.id):
            if job.state is State.COMPLETED:
                signals.job_completed(
                    self._telemetry, job_id=job.id, images_count=images, duration_seconds=seconds
                )
                return
            failure = job.failure
            report = signals.job_failed if failure is not None else signals.job_cancelled
            reason = failure.code if failure is not None else _CANCELLED
            report(
                self._telemetry,
                job_id=job.id,
                reason=reason,
                images_count=images,
                duration_seconds=seconds,
            )
            if failure is not None:
                error = JobFailed(failure.detail)
                error.__cause__ = cause
                signals.job_failure(
                    self._telemetry, error, operation=current_name("job"), job_id=job.id, reason=reason
                )

    async def _kept(self, job: Job) -> int:
        try:
            return (await self._ledger.progress(job.id)).tally.kept
        except AppError:
            # The end is stored all the same, and must be reported.
            return 0
