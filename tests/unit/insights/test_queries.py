"""Each query reads existing tables, columns, events, metrics and properties, in both scopes."""

import re
from pathlib import Path

import pytest

from functions import queues
from shared.insights import queries
from shared.insights.job_log import JOB_LOG, MOST_LINES
from shared.insights.log_source import Scope
from shared.insights.queries import bounded_query, query
from shared.insights.report import MAX_HOURS, MAX_ROWS, JobIds, Report
from shared.insights.reports import REPORTS
from tests.unit.insights.kql import read_query
from tests.unit.insights.tables import TABLES, check_names

BOTH = pytest.mark.parametrize("scope", Scope)
EACH = pytest.mark.parametrize("report", [*REPORTS.values(), JOB_LOG], ids=lambda report: report.name)


@BOTH
@EACH
def test_a_query_returns_the_columns_of_its_report_out_of_tables_and_columns_that_there_are(
    report: Report, scope: Scope
) -> None:
    found = read_query(query(report, scope), TABLES[scope])
    assert found.columns == [column.name for column in report.columns]


@EACH
def test_a_query_reads_what_is_emitted_and_counts_what_sampling_left_out(report: Report) -> None:
    check_names(query(report, Scope.WORKSPACE))


@pytest.mark.parametrize(
    "text",
    [
        'AppEvents | where Name == "job_complete" | take 1',
        'AppEvents | where Name == "job_completed" | extend a = Properties.reasons',
        'AppEvents | where Name == "job_completed" | extend a = Measurements.job_id',
        'AppDependencies | where DependencyType == "SQL" | take 1',
        "AppEvents | summarize a = count() by Name",
    ],
)
def test_a_query_that_reads_a_name_that_is_not_emitted_is_found(text: str) -> None:
    with pytest.raises(AssertionError):
        check_names(text)


@BOTH
@EACH
def test_a_query_is_bounded_and_takes_nothing_from_a_caller(report: Report, scope: Scope) -> None:
    text = bounded_query(report, scope)
    assert text.endswith(f"\n| take {MAX_ROWS + 1}")
    assert not set("{}%$") & set(text)
    assert all(line.strip() and "//" not in line for line in text.splitlines())
    assert read_query(text, TABLES[scope]).columns == [column.name for column in report.columns]


def test_every_hour_of_the_longest_span_fits_with_both_of_its_statuses() -> None:
    assert 2 * (MAX_HOURS + 1) <= MAX_ROWS


def test_the_queues_and_their_functions_are_those_of_the_app() -> None:
    functions = [builder._function for builder in queues.blueprint._function_builders]
    served = {function._name: vars(function.get_trigger())["queue_name"] for function in functions}
    named = re.findall(r'Name == "(\w+)", "([\w-]+)"', query(REPORTS["queue_health"], Scope.WORKSPACE))
    assert dict(named) == served


def test_each_file_is_the_query_of_a_report_or_the_scope() -> None:
    files = {path.stem for path in (Path(queries.__file__).parent / "kql").iterdir()}
    assert files == {*REPORTS, JOB_LOG.name, "resource_scope"}


@pytest.mark.parametrize(
    "text",
    [
        "AppEvent | take 1",
        "AppEvents | where name == 1",
        "AppEvents | project Target",
        "AppEvents | summarize sum(ItemCount)",
        "AppEvents | summarize a = sum(ItemCount) by Name | where ItemCount == 1",
        "customEvents | take 1",
    ],
)
def test_the_reader_of_queries_finds_names_that_are_not_there(text: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        read_query(text, TABLES[Scope.WORKSPACE])


@BOTH
def test_every_part_of_the_log_of_a_job_is_of_this_job_and_of_its_correlation_id(scope: Scope) -> None:
    text = bounded_query(JOB_LOG, scope, JobIds("the-job", "order.7"))
    assert "JOB_ID" not in text
    assert "CORRELATION_ID" not in text
    _, _, union = text.rpartition("union\n")
    parts = union.partition("\n| top ")[0].split("\n    (")
    assert len(parts) == 5
    for part in parts:
        assert '.job_id) == "the-job" and tostring(' in part
        assert '.correlation_id) == "order.7"\n' in part
    assert f"\n| top {MOST_LINES + 1} by at desc\n" in text


@pytest.mark.parametrize("text", ["", 'a" or true', "a b", "a\n", "a" * 65, "caf\u00e9", "a|b", "a'b"])
@pytest.mark.parametrize("is_job", [True, False])
def test_no_text_that_could_end_a_text_comes_into_a_query(text: str, is_job: bool) -> None:  # noqa: FBT001
    ids = JobIds(text, "x") if is_job else JobIds("x", text)
    with pytest.raises(ValueError, match="may not stand"):
        bounded_query(JOB_LOG, Scope.WORKSPACE, ids)
