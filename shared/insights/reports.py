"""Lists all reports with their columns."""

from collections.abc import Mapping

from shared.errors import NotFound
from shared.insights.report import Column, Kind, Report


def _text(name: str, description: str) -> Column:
    return Column(name, Kind.TEXT, description)


def _number(name: str, description: str) -> Column:
    return Column(name, Kind.NUMBER, description)


def _time(name: str, description: str) -> Column:
    return Column(name, Kind.TIME, description)


_HOUR = _time("hour", "Beginning of the hour, in UTC.")

_ALL = (
    Report(
        "jobs_completed",
        "Jobs completed by hour",
        "How many jobs got their dataset in each hour, and how many images these datasets have.",
        (
            _HOUR,
            _number("jobs", "Jobs that were completed."),
            _number("images", "Images in their datasets."),
        ),
    ),
    Report(
        "recent_jobs",
        "Recent jobs",
        "The last 100 jobs that ended, the newest first.",
        (
            _time("ended_at", "When the job ended, in UTC."),
            _text("outcome", "completed, failed or cancelled."),
            _text("job_id", "Id of the job."),
            _number("images", "Images that the job kept."),
            _number("duration_seconds", "Time from the submission to the end."),
            _text("reason", "Why it failed or was cancelled."),
            _text("operation_id", "Id of the operation, by which its other telemetry is found."),
        ),
    ),
    Report(
        "images_processed",
        "Images processed by hour",
        "How many images were kept and rejected in each hour; average, maximum and minimum are those of a chunk.",
        (
            _HOUR,
            _text("status", "kept or rejected."),
            _number("images", "Images in all."),
            _number("average", "Average of a chunk."),
            _number("maximum", "The most of a chunk."),
            _number("minimum", "The fewest of a chunk."),
        ),
    ),
    Report(
        "exceptions",
        "Exceptions",
        "Errors by type and operation, the most frequent first, each with its latest message.",
        (
            _text("type", "Type of the error."),
            _text("operation", "What was being done."),
            _number("exceptions", "How often it happened."),
            _time("last_seen", "When it happened last, in UTC."),
            _text("last_message", "Its latest message."),
            _text("last_job_id", "Job in which it happened last, if it was in one."),
        ),
    ),
    Report(
        "storage_dependencies",
        "Calls of blob storage",
        "Uploads to blob storage by operation and folder: how many, how long they took, and how many failed.",
        (
            _text("operation", "What was done."),
            _text("folder", "First folder of the blobs: datasets or work."),
            _number("calls", "Calls in all."),
            _number("failures", "Calls that failed."),
            _number("failure_percent", "Share of the calls that failed."),
            _number("p50_ms", "Half of the calls took at most this long."),
            _number("p95_ms", "95 % of the calls took at most this long."),
            _number("p99_ms", "99 % of the calls took at most this long."),
        ),
    ),
    Report(
        "failures_by_reason",
        "Failed and cancelled jobs by reason",
        "Why jobs did not get their dataset, the most frequent reason first.",
        (
            _text("outcome", "failed or cancelled."),
            _text("reason", "Code of the reason."),
            _number("jobs", "Jobs that ended so."),
            _time("last_seen", "When a job ended so last, in UTC."),
            _text("last_job_id", "Id of that job."),
        ),
    ),
    Report(
        "job_durations",
        "Durations of jobs by hour",
        "How long the jobs took that were completed in each hour, from the submission to the dataset.",
        (
            _HOUR,
            _number("jobs", "Jobs that were completed."),
            _number("p50_seconds", "Half of them took at most this long."),
            _number("p95_seconds", "95 % of them took at most this long."),
            _number("p99_seconds", "99 % of them took at most this long."),
            _number("max_seconds", "The longest took this long."),
        ),
    ),
    Report(
        "queue_health",
        "Health of the queues",
        "Runs of the functions that work on queues. Each run of a poison function is a message that failed for good.",
        (
            _text("queue", "Name of the queue."),
            _text("function_name", "Name of the function."),
            _number("runs", "Messages that it worked on, each try counted."),
            _number("failures", "Runs that failed."),
            _number("failure_percent", "Share of the runs that failed."),
            _number("p50_ms", "Half of the runs took at most this long."),
            _number("p95_ms", "95 % of the runs took at most this long."),
            _time("last_run", "When it ran last, in UTC."),
        ),
    ),
    Report(
        "user_activity",
        "Activity of users by day",
        "What users did, by day, action and tier. Actions are sampled, so users who do little may not be seen.",
        (
            _time("day", "Beginning of the day, in UTC."),
            _text("action", "What was done."),
            _text("user_tier", "Tier of the users."),
            _number("actions", "How often it was done."),
            _number(
                "users_seen", "Different users among the actions that were kept: at least so many did it."
            ),
        ),
    ),
    Report(
        "cost_drivers",
        "What drives the cost",
        "Amounts that Azure bills for: time of functions, data written to storage, telemetry; and images beside them.",
        (
            _text("driver", "function time, storage written, telemetry or images processed."),
            _text("part", "Function, destination and tier, table, or status."),
            _number("amount", "How much."),
            _text("unit", "Unit of the amount: seconds, MB or images."),
        ),
    ),
)

REPORTS: Mapping[str, Report] = {report.name: report for report in _ALL}
"""Every report by its name."""


def report_named(name: str) -> Report:
    """Returns the report of this name.

    Raises:
        NotFound: there is no such report.
    """
    found = REPORTS.get(name)
    if found is None:
        raise NotFound("There is no such report; GET /api/v1/insights lists them.")
    return found
