"""What a report is, what it answers, and who can answer it."""

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
    """What the values of a column are. Each of them may be null."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a report; units stand in its name."""

    name: str
    kind: Kind
    description: str


@dataclass(frozen=True, slots=True)
class Report:
    """A question that the telemetry can answer; its query is the file `kql/<name>.kql`."""

    name: str
    title: str
    description: str
    columns: tuple[Column, ...]

    @property
    def is_by_hour(self) -> bool:
        """Whether its rows are a time series."""
        return self.columns[0].name == "hour"


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a report is about, both ends in UTC."""

    start: datetime
    end: datetime

    @classmethod
    def last_hours(cls, hours: int, now: datetime) -> Self:
        """The last hours until now; the first is whole, so that it can be compared with the others."""
        return cls((now - timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0), now)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a report found: rows in the order of its columns, at most `MAX_ROWS`.

    `partial` is true where the service could not read all data, `truncated` where there are more rows.
    """

    rows: tuple[tuple[Value, ...], ...]
    partial: bool = False
    truncated: bool = False


class Insights(Protocol):
    """Answers reports."""

    async def run(self, report: Report, span: Span) -> Findings:
        """Answer a report for a span of time. It takes half a minute at most.

        Raises:
            NotConfigured: the app is not set up to read its telemetry; the text says what is missing.
            RateLimited: too many queries were made; it says when to come back.
            Unavailable: the service did not answer, not in time, or not in a known form.
        """
        ...


class NoInsights:
    """Answers nothing: where the settings do not say where the telemetry is, for which `why` is the error."""

    def __init__(self, why: NotConfigured) -> None:
        self._why = why

    async def run(self, report: Report, span: Span) -> Findings:
        """See `Insights.run`."""
        del report, span
        raise NotConfigured(self._why.detail)
