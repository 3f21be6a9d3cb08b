"""Makes the workbook out of the reports and their queries: `make workbook`.

Format: https://github.com/microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json
"""

import json
import uuid
from pathlib import Path
from typing import Any

from shared.insights.log_source import Scope
from shared.insights.queries import bounded_query
from shared.insights.report import MAX_HOURS, MAX_ROWS, Kind, Report
from shared.insights.reports import REPORTS

PATH = Path(__file__).with_name("pixcrawler.workbook")

_SCHEMA = "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json"
_WORKSPACES = "microsoft.operationalinsights/workspaces"
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_INTRODUCTION = """# PixCrawler

What the service does, out of the telemetry that it sends. Choose the Log Analytics workspace that Application Insights
sends it to, and the time. The API has the same reports: `GET /api/v1/insights`."""


def workbook() -> str:
    """The workbook as JSON; the same for the same reports."""
    items = [
        {"type": 1, "content": {"json": _INTRODUCTION}, "name": "introduction"},
        _parameters(),
        *(_report(report) for report in REPORTS.values()),
    ]
    made = {
        "version": "Notebook/1.0",
        "items": items,
        "fallbackResourceIds": ["azure monitor"],
        "$schema": _SCHEMA,
    }
    return json.dumps(made, indent=2) + "\n"


def _parameters() -> dict[str, Any]:
    spans = (_HOUR_MS, 4 * _HOUR_MS, _DAY_MS, 2 * _DAY_MS, 7 * _DAY_MS, MAX_HOURS * _HOUR_MS)
    workspace = {
        "id": _id("Workspace"),
        "version": "KqlParameterItem/1.0",
        "name": "Workspace",
        "type": 5,
        "isRequired": True,
        "query": f"resources\n| where type =~ '{_WORKSPACES}'\n| project id",
        "crossComponentResources": ["value::all"],
        "typeSettings": {"additionalResourceOptions": ["value::1"]},
        "queryType": 1,
        "resourceType": "microsoft.resourcegraph/resources",
        "value": "value::1",
    }
    time_range = {
        "id": _id("TimeRange"),
        "version": "KqlParameterItem/1.0",
        "name": "TimeRange",
        "label": "Time",
        "type": 4,
        "isRequired": True,
        "typeSettings": {
            "selectableValues": [{"durationMs": span} for span in spans],
            "allowCustom": True,
        },
        "value": {"durationMs": _DAY_MS},
    }
    content = {
        "version": "KqlParameterItem/1.0",
        "parameters": [workspace, time_range],
        "style": "pills",
        "queryType": 0,
        "resourceType": _WORKSPACES,
    }
    return {"type": 9, "content": content, "name": "parameters"}


def _report(report: Report) -> dict[str, Any]:
    content = {
        "version": "KqlItem/1.0",
        "query": bounded_query(report, Scope.WORKSPACE),
        "size": 0,
        "title": report.title,
        "noDataMessage": "There is no such telemetry in this time.",
        "timeContextFromParameter": "TimeRange",
        "showExportToExcel": True,
        "queryType": 0,
        "resourceType": _WORKSPACES,
        "crossComponentResources": ["{Workspace}"],
        **_looks(report),
    }
    return {"type": 3, "content": content, "name": report.name, "styleSettings": {"showBorder": True}}


def _looks(report: Report) -> dict[str, Any]:
    """A chart of the numbers for a report by hour, a line for each text; else a table."""
    if not report.is_by_hour:
        return {"visualization": "table", "gridSettings": {"filter": True, "rowLimit": MAX_ROWS}}
    texts = [column.name for column in report.columns if column.kind is Kind.TEXT]
    numbers = [column.name for column in report.columns if column.kind is Kind.NUMBER]
    settings: dict[str, Any] = {"xAxis": "hour", "yAxis": numbers, "showLegend": True}
    if texts:
        settings |= {"yAxis": numbers[:1], "group": texts[0], "createOtherGroup": 0}
    return {"visualization": "linechart", "chartSettings": settings}


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:pixcrawler:workbook:{name}"))


if __name__ == "__main__":
    PATH.write_text(workbook(), encoding="utf-8")
