"""Defines what a job's owner sees of its discovery. It has a row of its own, so that it is quick to read.

The state of discovery may take megabytes, this row at most some 30 kB. Both are written in one transaction.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from shared.storage.entities import Change, Entity, Put, Value
from shared.text.plain_text import one_line

REPORT = "discovery-report"
MAX_PROBLEM_CHARACTERS = 300
_MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class DiscoveryReport:
    """Reports how discovery went so far.

    Attributes:
        problem_count: How many problems there were.
        problems: The first twenty different problems, one line each.
        notice: Which sources discovery waits for, until when and why. It is empty if discovery does not wait.
        can_continue: Whether a retry may find more candidates.
        saved_at: When the report was saved, or None if it never was.
    """

    problem_count: int = 0
    problems: tuple[str, ...] = ()
    notice: str = ""
    can_continue: bool = True
    saved_at: datetime | None = None


@dataclass(slots=True)
class Problems:
    """The problems that discovery has met so far: their number, and the first twenty different ones."""

    count: int = 0
    lines: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, report: DiscoveryReport) -> Self:
        """Returns the stored problems, for a run to add to."""
        return cls(report.problem_count, list(report.problems))

    def note(self, problems: Iterable[str]) -> None:
        """Counts the problems, and keeps the first twenty different ones as lines of at most 300 characters."""
        for problem in problems:
            self.count += 1
            line = one_line(problem, MAX_PROBLEM_CHARACTERS)
            if len(self.lines) < _MAX_PROBLEMS and line not in self.lines:
                self.lines.append(line)


def report_change(job_id: str, report: DiscoveryReport, now: datetime) -> Change:
    """Returns the change that writes the report, saved at `now`."""
    values: dict[str, Value] = {
        "problem_count": report.problem_count,
        "problems": json.dumps(report.problems, ensure_ascii=False),
        "notice": report.notice,
        "can_continue": report.can_continue,
        "saved_at": now,
    }
    return Put(Entity(job_id, REPORT, values))


def report_of(entity: Entity | None) -> DiscoveryReport:
    """Returns the report in a row; an empty report if there is no row."""
    if entity is None:
        return DiscoveryReport()
    values = entity.values
    saved_at = values["saved_at"]
    return DiscoveryReport(
        problem_count=int(str(values["problem_count"])),
        problems=tuple(json.loads(str(values["problems"]))),
        notice=str(values["notice"]),
        can_continue=bool(values["can_continue"]),
        saved_at=saved_at if isinstance(saved_at, datetime) else None,
    )
