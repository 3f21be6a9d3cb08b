"""HTTP: reports on what the service does."""

from datetime import datetime
from typing import Self

import azure.functions as func
from pydantic import BaseModel

from functions.http.csv_table import csv_table
from functions.http.endpoint import Answer, Call, Text, endpoint
from functions.http.inputs import number_in, wrong_value
from shared.insights.report import MAX_HOURS, MAX_ROWS, Column, Findings, Report, Span, Value
from shared.insights.reports import REPORTS, report_named

blueprint = func.Blueprint()

_WITHIN_SECONDS = 30.0
_PARTIAL = "Azure's log service could not read all of the data, so numbers may be too low."
_TRUNCATED = f"There are more than {MAX_ROWS} rows; ask for fewer hours."


class ColumnAnswer(BaseModel):
    """One column of a report: text, number or time."""

    name: str
    type: str
    description: str

    @classmethod
    def of(cls, column: Column) -> Self:
        """The answer for a column."""
        return cls(name=column.name, type=column.kind, description=column.description)


class ReportSummary(BaseModel):
    """One report that can be asked for."""

    name: str
    title: str
    description: str
    columns: list[ColumnAnswer]
    links: dict[str, str]

    @classmethod
    def of(cls, report: Report) -> Self:
        """The entry for a report."""
        return cls(
            name=report.name,
            title=report.title,
            description=report.description,
            columns=[ColumnAnswer.of(column) for column in report.columns],
            links={"self": f"/api/v1/insights/{report.name}"},
        )


class ReportList(BaseModel):
    """All reports."""

    items: list[ReportSummary]


class ReportAnswer(BaseModel):
    """What a report found between `start` and `end`.

    `partial`: not all data could be read. `truncated`: there are more rows. `notice` says so in words.
    """

    name: str
    title: str
    start: datetime
    end: datetime
    columns: list[ColumnAnswer]
    rows: list[dict[str, Value]]
    partial: bool
    truncated: bool
    notice: str | None

    @classmethod
    def of(cls, report: Report, span: Span, found: Findings) -> Self:
        """The answer for a report."""
        names = [column.name for column in report.columns]
        return cls(
            name=report.name,
            title=report.title,
            start=span.start,
            end=span.end,
            columns=[ColumnAnswer.of(column) for column in report.columns],
            rows=[dict(zip(names, row, strict=True)) for row in found.rows],
            partial=found.partial,
            truncated=found.truncated,
            notice=_notice(found),
        )


@blueprint.route(route="api/v1/insights", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint()
async def list_insights(call: Call) -> Answer:
    """Every report, with its columns."""
    del call
    return Answer(ReportList(items=[ReportSummary.of(report) for report in REPORTS.values()]))


@blueprint.route(route="api/v1/insights/{report}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint(
    query=("hours", "format"),
    when_late="Try again later, or with fewer hours.",
    within_seconds=_WITHIN_SECONDS,
)
async def get_insight(call: Call) -> Answer:
    """One report on the last `hours` (1 to 720, else 24), as JSON or, with `format=csv`, as CSV."""
    report = report_named(call.route("report"))
    span = Span.last_hours(number_in(call.query, "hours", 1, MAX_HOURS, 24), call.app.clock.now())
    as_csv = _wants_csv(call)
    found = await call.app.insights.run(report, span)
    return _csv(report, found) if as_csv else Answer(ReportAnswer.of(report, span, found))


def _wants_csv(call: Call) -> bool:
    wanted = call.query.get("format", "json")
    if wanted not in {"json", "csv"}:
        raise wrong_value("format", wanted, "must be json or csv")
    return wanted == "csv"


def _csv(report: Report, found: Findings) -> Answer:
    """The table as a file. Its name and a header say where it is not whole, since rows of a CSV cannot."""
    notice = _notice(found)
    name = f"{report.name}{'-incomplete' if notice else ''}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if notice:
        headers["X-Notice"] = notice
    table = csv_table([column.name for column in report.columns], found.rows)
    return Answer(Text(table, "text/csv"), headers=headers)


def _notice(found: Findings) -> str | None:
    notices = [text for text, holds in ((_PARTIAL, found.partial), (_TRUNCATED, found.truncated)) if holds]
    return " ".join(notices) or None
