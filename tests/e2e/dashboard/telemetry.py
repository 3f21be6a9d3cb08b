"""Answers of the reports on a busy service, with the columns that the reports have."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.http.endpoints.operators.insights import ReportAnswer
from shared.insights.report import Findings, Kind, Report, Span, Value
from shared.insights.reports import REPORTS

HOSTILE = "<img src=x onerror=alert(3)>"
_HOURS = 24
_NOW = datetime(2026, 1, 2, 9, 30, tzinfo=UTC)
_WORDS = {
    "status": ["kept", "rejected"],
    "outcome": ["completed", "completed", "completed", "failed", "cancelled"],
    "reason": ["no_images", "stalled", "archive_crashed"],
    "user_tier": ["free", "pro", "enterprise"],
    "unit": ["seconds", "MB", "images"],
    "queue": ["crawl-jobs", "crawl-chunks", "dataset-archives", "webhooks", "lifecycle"],
    "last_message": [HOSTILE],
}


def reports() -> dict[str, dict[str, Any]]:
    """Returns an answer for each report by its name."""
    span = Span.last_hours(_HOURS, _NOW)
    return {
        name: ReportAnswer.of(report, span, Findings(tuple(_rows(report)))).model_dump(mode="json")
        for name, report in REPORTS.items()
    }


def _rows(report: Report) -> Iterator[tuple[Value, ...]]:
    for number in range(_HOURS):
        yield tuple(_value(column.name, column.kind, number) for column in report.columns)


def _value(name: str, kind: Kind, number: int) -> Value:
    if kind is Kind.TIME:
        return _NOW.replace(minute=0) - timedelta(hours=number)
    if kind is Kind.TEXT:
        words = _WORDS.get(name, [f"{name}-1", f"{name}-2", f"{name}-3"])
        return words[number % len(words)]
    wave = 1 + (number * 7) % 11
    scale = {"p50": 4, "p95": 9, "p99": 12, "failures": 0.1}.get(name.partition("_")[0], 10)
    return round(wave * scale, 1)
