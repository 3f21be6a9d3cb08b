"""Reads what one job reported to the telemetry, for the owner of the job."""

from dataclasses import replace
from datetime import timedelta

from shared.errors import NotFound, RateLimited
from shared.insights.report import MAX_HOURS, Column, Findings, Insights, JobIds, Kind, Report, Span
from shared.telemetry.correlation import is_correlation_id

MOST_LINES = 500
"""How many lines a log has at most: the newest ones."""

JOB_LOG = Report(
    "job_log",
    "Log of a job",
    "What one job reported, the newest first.",
    (
        Column("at", Kind.TIME, "When it was reported, in UTC."),
        Column(
            "kind", Kind.TEXT, "log line, event, number, error, run (of a function) or call (of a service)."
        ),
        Column("level", Kind.TEXT, "info, warning, error and so on."),
        Column("name", Kind.TEXT, "Name of the function, the event, the number, the error or the call."),
        Column("text", Kind.TEXT, "What was reported, up to 500 characters."),
        Column("duration_ms", Kind.NUMBER, "How long a run or a call took."),
    ),
)
"""The query on one job. It is no report of the insights, which are about all jobs."""

_QUERIES_AT_A_TIME = 3
_RETRY_SECONDS = 5.0
# clocks differ, and a webhook is called after the end
_MARGIN = timedelta(hours=1)


class JobLogs:
    """Reads the logs of jobs. Few are read at a time, so that operators can always run their reports.

    A user reads one log at a time, so that other users can read theirs.
    """

    def __init__(self, insights: Insights) -> None:
        self._insights = insights
        self._readers: set[str] = set()

    async def read(self, user_id: str, job: JobIds, lasted: Span) -> Findings:
        """Returns the newest lines of a job that began and ended at these times.

        Raises:
            NotFound: the job has no correlation id, so nothing was reported with one.
            NotConfigured: the app is not set up to read its telemetry. The text says what is missing.
            RateLimited: the user is reading another log, or too many logs are being read.
            Unavailable: the service did not answer, answered too late, or in an unknown form.
        """
        if not is_correlation_id(job.correlation_id):
            raise NotFound("The job has no log.")
        if user_id in self._readers or len(self._readers) >= _QUERIES_AT_A_TIME:
            raise RateLimited("Other logs are being read.", _RETRY_SECONDS)
        self._readers.add(user_id)
        try:
            found = await self._insights.run(JOB_LOG, span_of(lasted), job)
        finally:
            self._readers.remove(user_id)
        truncated = found.truncated or len(found.rows) > MOST_LINES
        return replace(found, rows=found.rows[:MOST_LINES], truncated=truncated)


def span_of(lasted: Span) -> Span:
    """Returns the time in which a job reported something: `MAX_HOURS` before its end, at most."""
    end = lasted.end + _MARGIN
    return Span(max(lasted.start - _MARGIN, end - timedelta(hours=MAX_HOURS)), end)
