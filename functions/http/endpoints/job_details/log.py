"""An HTTP function that answers what a job reported to the telemetry."""

from datetime import datetime
from typing import Self

from functions.http.call import Answer, Call
from functions.http.declared import Declared, Model
from functions.http.endpoint import Endpoints
from shared.errors import NotConfigured, NotFound, RateLimited
from shared.insights.report import Findings, JobIds, Span

endpoints = Endpoints()

_WITHIN_SECONDS = 30.0


class LogLine(Model):
    """One thing that a job reported.

    `kind` is `log line`, `event`, `number`, `error`, `run` (of a function) or `call` (of a service). `level` is `info`,
    `warning`, `error` and so on.
    """

    at: datetime | None
    kind: str | None
    level: str | None
    name: str | None
    text: str | None
    duration_ms: float | None


class JobLog(Model):
    """What a job reported, the newest first, between `start` and `end`.

    An operator finds the same by `correlation_id`. `partial` is true if not all data could be read, and `truncated` if
    there are more lines.
    """

    correlation_id: str
    start: datetime
    end: datetime
    lines: list[LogLine]
    partial: bool
    truncated: bool

    @classmethod
    def of(cls, correlation_id: str, span: Span, found: Findings) -> Self:
        """Returns the answer for the lines that were found."""
        from shared.insights.job_log import JOB_LOG

        names = [column.name for column in JOB_LOG.columns]
        return cls(
            correlation_id=correlation_id,
            start=span.start,
            end=span.end,
            lines=[LogLine.model_validate(dict(zip(names, row, strict=True))) for row in found.rows],
            partial=found.partial,
            truncated=found.truncated,
        )


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/jobs/{id}/log",
        {200: JobLog},
        errors=(NotFound, NotConfigured, RateLimited),
        when_late="Try again later.",
        within_seconds=_WITHIN_SECONDS,
    )
)
async def get_job_log(call: Call) -> Answer:
    """Answers what the job's revision reported to the telemetry: its last 500 lines, of the 30 days before its end.

    Telemetry can be read a few minutes after it was sent, and only if the app is set up to read it. Most operations are
    sent only in part; the ends of jobs and their errors always are.
    """
    from shared.insights.job_log import span_of

    job = await call.app.job_keys.find(call.caller.user_id, call.route("id"))
    if not job.history:
        # it never ran, and its id may be that of another job
        raise NotFound(f"Job {job.id} has not begun, so it has no log.")
    ended = job.updated_at if job.state.terminal else call.app.clock.now()
    lasted = Span(job.retried_at or job.created_at, ended)
    ids = JobIds(job.id, job.origin.correlation_id)
    found = await call.app.job_logs.read(job.user_id, ids, lasted)
    return Answer(JobLog.of(ids.correlation_id, span_of(lasted), found))
