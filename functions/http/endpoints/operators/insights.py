"""HTTP functions that list and run reports on what the service does."""

from datetime import datetime
from typing import Self

from functions.http.call import Answer, Call, Text
from functions.http.declared import Declared, Model, Parameter, Reply, whole_number
from functions.http.endpoint import Endpoints
from shared.errors import NotConfigured, NotFound, RateLimited
from shared.insights.report import MAX_HOURS, MAX_ROWS, Column, Findings, Report, Span, Value
from shared.users.caller import Scope

endpoints = Endpoints()

_WITHIN_SECONDS = 30.0
_PARTIAL = "Azure's log service could not read all of the data, so numbers may be too low."
_OF_CSV = {
    "Content-Disposition": Parameter("The name of the CSV file, which says if the file is incomplete."),
    "X-Notice": Parameter("Why the CSV file is incomplete."),
}
_TRUNCATED = f"There are more than {MAX_ROWS} rows; ask for fewer hours."


class ColumnAnswer(Model):
    """One column of a report. Its `type` is text, number or time."""

    name: str
    type: str
    description: str

    @classmethod
    def of(cls, column: Column) -> Self:
        """Returns the answer for a column."""
        return cls(name=column.name, type=column.kind, description=column.description)


class ReportSummary(Model):
    """One report in the list of reports."""

    name: str
    title: str
    description: str
    columns: list[ColumnAnswer]
    links: dict[str, str]

    @classmethod
    def of(cls, report: Report) -> Self:
        """Returns the entry for a report."""
        return cls(
            name=report.name,
            title=report.title,
            description=report.description,
            columns=[ColumnAnswer.of(column) for column in report.columns],
            links={"self": f"/api/v1/insights/{report.name}"},
        )


class ReportList(Model):
    """All reports. `notice` says what the settings lack for any report to run, or is null."""

    items: list[ReportSummary]
    notice: str | None


class ReportAnswer(Model):
    """The rows that a report found between `start` and `end`.

    `partial` is true if not all data could be read, `truncated` if there are more rows. `notice` explains both.
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
        """Returns the answer for a report."""
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


@endpoints.serve(Declared("GET", "api/v1/insights", {200: ReportList}, scope=Scope.ADMIN))
async def list_insights(call: Call) -> Answer:
    """Answers all reports with their columns, and whether the settings allow to run them."""
    from shared.insights.reports import REPORTS

    items = [ReportSummary.of(report) for report in REPORTS.values()]
    return Answer(ReportList(items=items, notice=call.app.insights.missing))


@endpoints.serve(
    Declared(
        "GET",
        "api/v1/insights/{report}",
        {200: Reply(ReportAnswer, headers=_OF_CSV, other_media_type="text/csv")},
        scope=Scope.ADMIN,
        query={
            "hours": whole_number("How far back the report reaches.", 1, MAX_HOURS, 24),
            "format": Parameter("The format of the answer.", {"enum": ["json", "csv"], "default": "json"}),
        },
        errors=(NotFound, NotConfigured, RateLimited),
        when_late="Try again later, or with fewer hours.",
        within_seconds=_WITHIN_SECONDS,
    )
)
async def get_insight(call: Call) -> Answer:
    """Runs a report on the last `hours` (1 to 720, 24 by default). Answers JSON, or CSV with `format=csv`."""
    from shared.insights.reports import report_named

    report = report_named(call.route("report"))
    span = Span.last_hours(int(call.query["hours"]), call.app.clock.now())
    found = await call.app.insights.run(report, span)
    if call.query["format"] == "csv":
        return _csv(report, found)
    return Answer(ReportAnswer.of(report, span, found))


def _csv(report: Report, found: Findings) -> Answer:
    """Returns the table as a file. Its name and a header say if it is incomplete, because its rows cannot."""
    from functions.http.models.csv_table import csv_table

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
