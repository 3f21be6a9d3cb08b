"""Defines reports, their results, and the interface of what runs them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, Self

from shared.errors import NotConfigured

MAX_HOURS = 720
"""The longest span that a report may be asked for: 30 days."""
MAX_ROWS = 1500
"""The most rows that a report returns: two for each hour of the longest span, and some more."""

type Value = str | int | float | datetime | None


class Kind(StrEnum):
    """The type of a column's values. Each value may be null."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a report. Its name contains its unit."""

    name: str
    kind: Kind
    description: str


@dataclass(frozen=True, slots=True)
class Report:
    """A question about the telemetry. Its query is the file `kql/<name>.kql`."""

    name: str
    title: str
    description: str
    columns: tuple[Column, ...]

    @property
    def is_by_hour(self) -> bool:
        """Whether the rows are a time series with one hour per row."""
        return self.columns[0].name == "hour"


@dataclass(frozen=True, slots=True)
class JobIds:
    """The ids by which the telemetry of one job is found.

    Its caller chooses the correlation id, so other jobs may have the same one. So both ids must be those of the job.
    """

    job_id: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a report covers. Both ends are in UTC."""

    start: datetime
    end: datetime

    @classmethod
    def last_hours(cls, hours: int, now: datetime) -> Self:
        """Returns the last hours until now. The first hour is whole, so that it can be compared with the others."""
        return cls((now - timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0), now)


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of a report: at most `MAX_ROWS` rows, with the values in the order of the columns.

    `partial` is true if the service could not read all data, and `truncated` if there are more rows.
    """

    rows: tuple[tuple[Value, ...], ...]
    partial: bool = False
    truncated: bool = False


class Insights(Protocol):
    """Runs reports."""

    @property
    def missing(self) -> str | None:
        """What the settings lack for any report to run, or None."""
        ...

    async def run(self, report: Report, span: Span, job: JobIds | None = None) -> Findings:
        """Runs a report on a span of time, or on one job if its query needs one. It takes half a minute at most.

        Raises:
            NotConfigured: the app is not set up to read its telemetry. The text says what is missing.
            RateLimited: too many queries were made. The error says when to try again.
            Unavailable: the service did not answer, answered too late, or in an unknown form.
        """
        ...


class NoInsights:
    """Raises the error `why` for every report, because the settings do not say where the telemetry is stored."""

    def __init__(self, why: NotConfigured) -> None:
        self._why = why

    @property
    def missing(self) -> str:
        """See `Insights.missing`."""
        return self._why.detail

    async def run(self, report: Report, span: Span, job: JobIds | None = None) -> Findings:
        """See `Insights.run`."""
        del report, span, job
        raise NotConfigured(self._why.detail)
