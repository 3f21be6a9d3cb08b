"""The page on insights has exactly the reports of the code with their columns, and queries that are in its files."""

from shared.insights.log_source import Scope
from shared.insights.queries import query
from shared.insights.report import MAX_HOURS, MAX_ROWS
from shared.insights.reports import REPORTS
from tests.unit.documents.markdown import codes_in, examples_in, rows_of, section_of, text_of

PAGE = "docs/reference/insights.md"


def test_the_reports_and_their_columns_are_those_of_the_code() -> None:
    found = {codes_in(row[0])[0]: codes_in(row[2]) for row in rows_of(section_of(PAGE, "Reports"))}
    assert found == {name: [column.name for column in report.columns] for name, report in REPORTS.items()}


def test_the_bounds_are_those_of_the_code() -> None:
    text = text_of(PAGE)
    assert f"`hours` is 1 to {MAX_HOURS} " in text
    assert f"more than {MAX_ROWS:,} rows" in text


def test_the_query_on_the_page_is_that_of_its_report() -> None:
    (shown,) = examples_in(PAGE, "kusto")
    assert shown.rstrip() == query(REPORTS["jobs_completed"], Scope.WORKSPACE)
