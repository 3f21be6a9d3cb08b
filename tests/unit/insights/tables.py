"""The tables of Application Insights, and the names of the app's signals in them."""

from infra.catalogue import emitted
from shared.insights.log_source import Scope
from tests.unit.insights.kql import Query, Read, read_query

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
TO_KINDS = {"AppEvents": "event", "AppMetrics": "metric", "AppExceptions": "exception"}
# they count items that were kept, and not those that they stand for
UNWEIGHTED = {"avg", "count", "countif", "percentile", "percentiles", "stdev"}
# what the client adds to every item
ADDED = {"environment", "correlation_id", "job_id"}
SIGNALS = emitted()


def check_names(text: str) -> Query:
    """Checks a query on a workspace: its tables, columns, names and properties exist, and it counts sampled items."""
    found = read_query(text, TABLES[Scope.WORKSPACE])
    for read in found.reads:
        _check_signals(read)
    assert not UNWEIGHTED & found.functions
    return found


def _check_signals(read: Read) -> None:
    kinds = {signal.properties["type"] for signal in SIGNALS if signal.kind == "dependency"}
    assert read.texts.get("DependencyType", set()) <= kinds
    names = read.texts.get("Name", set())
    sent = [
        signal
        for signal in SIGNALS
        if signal.kind == TO_KINDS.get(read.table, "dependency") and (not names or signal.name in names)
    ]
    if read.table in TO_KINDS:
        assert names <= {signal.name for signal in sent}
    if read.table != "AppRequests":
        properties = {name for signal in sent for name in signal.properties}
        measurements = {name for signal in sent for name in signal.measurements}
        assert read.bags.get("Properties", set()) <= properties | ADDED
        assert read.bags.get("Measurements", set()) <= measurements
