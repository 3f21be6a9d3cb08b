"""The workbook asks the queries of the reports, and the stored file equals what its generator makes."""

import json
from typing import Any

from infra.workbook.generate import PATH, workbook
from shared.insights.log_source import Scope
from shared.insights.queries import bounded_query
from shared.insights.reports import REPORTS


def items_of(kind: int) -> list[dict[str, Any]]:
    return [item for item in json.loads(PATH.read_text(encoding="utf-8"))["items"] if item["type"] == kind]


def test_the_workbook_is_as_make_workbook_makes_it() -> None:
    assert PATH.read_text(encoding="utf-8") == workbook(), "run 'make workbook'"


def test_every_report_is_shown_with_its_own_query_for_the_chosen_time_and_workspace() -> None:
    shown = {item["name"]: item["content"] for item in items_of(3)}
    assert {name: content["query"] for name, content in shown.items()} == {
        name: bounded_query(report, Scope.WORKSPACE) for name, report in REPORTS.items()
    }
    chosen = {parameter["name"] for item in items_of(9) for parameter in item["content"]["parameters"]}
    for content in shown.values():
        assert content["timeContextFromParameter"] in chosen
        assert content["crossComponentResources"] == ["{Workspace}"]
        assert "Workspace" in chosen


def test_charts_show_columns_that_their_reports_have() -> None:
    charts = {item["name"]: item["content"].get("chartSettings") for item in items_of(3)}
    assert {name for name, chart in charts.items() if chart} == {
        name for name, report in REPORTS.items() if report.is_by_hour
    }
    for name, chart in charts.items():
        columns = {column.name for column in REPORTS[name].columns}
        assert not chart or {chart["xAxis"], *chart["yAxis"], chart.get("group", "hour")} <= columns
