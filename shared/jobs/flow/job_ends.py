"""What telemetry says of a job's end: an event with its outcome, and for a job that failed an exception, too."""

from shared.errors import AppError
from shared.jobs.job.job import Job
from shared.jobs.job.states import State
from shared.jobs.ledger.chunks import ChunkLedger
from shared.telemetry import signals
from shared.telemetry.correlation import current_name, working_for
from shared.telemetry.telemetry import Telemetry

_CANCELLED = "requested"


class JobFailed(Exception):
    """A job ended without a dataset; the text says why, and the cause is the error behind it, where there is one."""


class JobEnds:
    """Reports ends of jobs. Who has written the end reports it, right after it: at most once."""

    def __init__(self, ledger: ChunkLedger, telemetry: Telemetry) -> None:
        self._ledger = ledger
        self._telemetry = telemetry

    async def report(
        self, job: Job, *, images: int | None = None, cause: BaseException | None = None
    ) -> None:
        """Report the end of a job as it is stored now. `images` are those of its dataset.

        Where they are not given, the images that its chunks kept are counted. The signals belong to the job's trace,
        also where the watchdog or another call has ended it.
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
        except AppError:  # the end stands all the same, and has to be reported
            return 0
