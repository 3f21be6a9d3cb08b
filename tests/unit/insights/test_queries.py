"""Each query reads tables, columns, events, metrics and properties that there are, in either scope."""

import inspect
import re
from pathlib import Path

import pytest

from functions import queues
from shared.errors import Retryable
from shared.insights import queries
from shared.insights.log_source import Scope
from shared.insights.queries import bounded_query, query
from shared.insights.report import MAX_HOURS, MAX_ROWS, Report
from shared.insights.reports import REPORTS
from shared.telemetry import signals
from shared.telemetry.recording import RecordingTelemetry, Signal
from tests.unit.insights.kql import Read, read_query

# names in an Application Insights resource, and in a workspace
# https://learn.microsoft.com/azure/azure-monitor/app/convert-classic-resource#table-schemas
COMMON = {
    "timestamp": "TimeGenerated",
    "itemType": "Type",
    "customDimensions": "Properties",
    "operation_Id": "OperationId",
    "operation_Name": "OperationName",
    "operation_ParentId": "ParentId",
    "cloud_RoleName": "AppRoleName",
    "cloud_RoleInstance": "AppRoleInstance",
    "user_Id": "UserId",
}
COUNTED = COMMON | {"itemCount": "ItemCount", "customMeasurements": "Measurements"}
CALLED = COUNTED | {
    "name": "Name",
    "duration": "DurationMs",
    "success": "Success",
    "resultCode": "ResultCode",
    "id": "Id",
}
SCHEMA = {
    ("customEvents", "AppEvents"): COUNTED | {"name": "Name"},
    ("customMetrics", "AppMetrics"): COMMON
    | {"name": "Name", "valueCount": "ItemCount", "valueSum": "Sum", "valueMin": "Min", "valueMax": "Max"},
    ("exceptions", "AppExceptions"): COUNTED
    | {
        "type": "ExceptionType",
        "outerMessage": "OuterMessage",
        "outerType": "OuterType",
        "problemId": "ProblemId",
    },
    ("dependencies", "AppDependencies"): CALLED
    | {"type": "DependencyType", "target": "Target", "data": "Data"},
    ("requests", "AppRequests"): CALLED | {"url": "Url", "source": "Source"},
    ("traces", "AppTraces"): COUNTED | {"message": "Message", "severityLevel": "SeverityLevel"},
}
TABLES = {
    Scope.RESOURCE: {classic: list(columns) for (classic, _), columns in SCHEMA.items()},
    Scope.WORKSPACE: {
        name: [*columns.values(), "_BilledSize", "_IsBillable", "_ResourceId"]
        for (_, name), columns in SCHEMA.items()
    },
}
# these are to be sent at the end of a job that does not get its dataset
_ENDED = dict.fromkeys(("job_id", "reason", "images_count", "duration_seconds"), "")
PLANNED = [Signal("event", "job_failed", _ENDED), Signal("event", "job_cancelled", _ENDED)]
TO_KINDS = {"AppEvents": "event", "AppMetrics": "metric", "AppExceptions": "exception"}
# they count items that were kept, and not those that they stand for
UNWEIGHTED = {"avg", "count", "countif", "percentile", "percentiles", "stdev"}
BOTH = pytest.mark.parametrize("scope", Scope)
EACH = pytest.mark.parametrize("report", REPORTS.values(), ids=lambda report: report.name)


def _emitted() -> list[Signal]:
    """What every function of `signals` emits."""
    values: dict[type, object] = {str: "x", int: 2, float: 1.5, bool: True, BaseException: Retryable("x")}
    values[signals.UploadedDataset] = signals.UploadedDataset("x", "x", 1.5, 2)
    telemetry = RecordingTelemetry()
    for function in vars(signals).values():
        if inspect.isfunction(function) and function.__module__ == signals.__name__:
            arguments = {
                name: next((value for kind, value in values.items() if _takes(parameter, kind)), None)
                for name, parameter in inspect.signature(function).parameters.items()
            }
            function(**arguments | {"telemetry": telemetry})
    return telemetry.signals


def _takes(parameter: inspect.Parameter, kind: type) -> bool:
    annotation = parameter.annotation
    return annotation is kind or kind in getattr(annotation, "__args__", ())


SIGNALS = [*_emitted(), *PLANNED]


def _signals_of(read: Read) -> list[Signal]:
    names = read.texts.get("Name")
    kind = TO_KINDS[read.table]
    return [signal for signal in SIGNALS if signal.kind == kind and (names is None or signal.name in names)]


@BOTH
@EACH
def test_a_query_returns_the_columns_of_its_report_out_of_tables_and_columns_that_there_are(
    report: Report, scope: Scope
) -> None:
    found = read_query(query(report, scope), TABLES[scope])
    assert found.columns == [column.name for column in report.columns]


@EACH
def test_a_query_asks_for_names_that_are_emitted(report: Report) -> None:
    for read in read_query(query(report, Scope.WORKSPACE), TABLES[Scope.WORKSPACE]).reads:
        names = read.texts.get("Name", set())
        if read.table in TO_KINDS:
            assert names <= {signal.name for signal in _signals_of(read)}
        elif read.table == "AppDependencies":
            kinds = {signal.properties["type"] for signal in SIGNALS if signal.kind == "dependency"}
            assert read.texts.get("DependencyType", set()) <= kinds


@EACH
def test_a_query_reads_properties_and_measurements_that_are_sent(report: Report) -> None:
    for read in read_query(query(report, Scope.WORKSPACE), TABLES[Scope.WORKSPACE]).reads:
        if read.bags:
            sent = _signals_of(read)
            properties = {name for signal in sent for name in signal.properties}
            measurements = {name for signal in sent for name in signal.measurements}
            assert read.bags.get("Properties", set()) <= properties
            assert read.bags.get("Measurements", set()) <= measurements


@EACH
def test_a_query_counts_what_sampling_left_out(report: Report) -> None:
    assert not UNWEIGHTED & read_query(query(report, Scope.WORKSPACE), TABLES[Scope.WORKSPACE]).functions


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
    assert files == {*REPORTS, "resource_scope"}


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
