"""Reports over HTTP: the list, one report as JSON or CSV, and the errors."""

import csv
import io
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.identity.aio import DefaultAzureCredential

from functions.http.endpoints.operators import insights
from shared.insights import azure_logs
from shared.insights.azure_logs import AzureLogs, logs_client
from shared.insights.log_source import log_source
from shared.insights.report import MAX_ROWS
from shared.insights.reports import REPORTS
from shared.wiring import App
from tests.identity_server import identity_server
from tests.unit.functions.http.description.described import DOCUMENT, flaws
from tests.unit.functions.http.http_calls import Caller
from tests.unit.insights.logs_server import LogsServer, logs_server, refusal

WORKSPACE = "11111111-2222-3333-4444-555555555555"
COLUMNS = [("hour", "datetime"), ("jobs", "long"), ("images", "long")]
ROWS = [["2026-01-01T09:00:00Z", 3, 120], ["2026-01-01T10:00:00Z", 1, None]]
NOW = datetime(2026, 1, 2, 9, 30, 12, 345, tzinfo=UTC)
ERRORS = [(name, kind) for name, kind in (("type", "string"), ("operation", "string"))]
ERRORS += [
    ("exceptions", "long"),
    ("last_seen", "datetime"),
    ("last_message", "string"),
    ("last_job_id", "string"),
]


@pytest.fixture
async def server(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LogsServer]:
    """A log service that the app asks."""
    async with (
        identity_server(monkeypatch),
        logs_server(tmp_path) as running,
        DefaultAzureCredential() as credential,
    ):
        client = logs_client(credential, running.url, connection_verify=str(running.certificate))
        logs = AzureLogs(client, log_source(WORKSPACE, None, running.url))
        app.__dict__.update(insights=logs, clock=_Noon())
        yield running
        await logs.close()


class _Noon:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return time.monotonic()


async def test_the_list_has_every_report_with_its_columns(caller: Caller) -> None:
    answered = await caller.get("insights")
    assert answered.status == 200
    assert [item["name"] for item in answered.body["items"]] == list(REPORTS)
    assert answered.body["notice"].startswith("The app does not know where its telemetry is.")
    first = answered.body["items"][0]
    assert first["links"] == {"self": "/api/v1/insights/jobs_completed"}
    assert first["columns"][0] == {
        "name": "hour",
        "type": "time",
        "description": "Beginning of the hour, in UTC.",
    }


@pytest.mark.usefixtures("server")
async def test_the_list_has_no_notice_where_reports_can_run(caller: Caller) -> None:
    assert (await caller.get("insights")).body["notice"] is None


async def test_a_report_is_rows_by_name_of_a_span_whose_first_hour_is_whole(
    caller: Caller, server: LogsServer
) -> None:
    server.finds(COLUMNS, ROWS)
    answered = await caller.get("insights/jobs_completed", "hours=48")
    assert answered.status == 200
    assert answered.body["rows"] == [
        {"hour": "2026-01-01T09:00:00Z", "jobs": 3, "images": 120},
        {"hour": "2026-01-01T10:00:00Z", "jobs": 1, "images": None},
    ]
    assert (answered.body["start"], answered.body["end"]) == (
        "2025-12-31T09:00:00Z",
        "2026-01-02T09:30:12.000345Z",
    )
    assert [answered.body[name] for name in ("partial", "truncated", "notice")] == [False, False, None]
    assert server.asked[0]["body"]["timespan"].startswith("2025-12-31T09:00:00.000Z/2026-01-02T09:30:12")


VALUES = {
    "text": ("string", "a text"),
    "number": ("real", 2.5),
    "time": ("datetime", "2026-01-01T09:00:00Z"),
}
"""A type of Azure's log service, and a value, for each kind of column."""


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("error", [None, {"code": "PartialError", "message": "a shard is missing"}])
async def test_each_report_is_answered_as_it_is_described(
    caller: Caller, server: LogsServer, name: str, error: object
) -> None:
    columns = REPORTS[name].columns
    row = [VALUES[column.kind][1] for column in columns]
    types = [(column.name, VALUES[column.kind][0]) for column in columns]
    server.finds(types, [row, [None] * len(row)], error)
    answered = await caller.get(f"insights/{name}")
    assert (answered.status, len(answered.body["rows"])) == (200, 2)
    replies = DOCUMENT["paths"]["/api/v1/insights/{report}"]["get"]["responses"]
    schema = replies["200"]["content"]["application/json"]["schema"]
    assert flaws(answered.body, schema) == []
    assert flaws({**answered.body, "rows": "none"}, schema) != []


@pytest.mark.parametrize(
    ("query", "start"), [("", "2026-01-01T09"), ("hours=1", "2026-01-02T08"), ("hours=720", "2025-12-03T09")]
)
async def test_hours_are_1_to_720_and_24_by_default(
    caller: Caller, server: LogsServer, query: str, start: str
) -> None:
    server.finds(COLUMNS, ROWS)
    assert (await caller.get("insights/jobs_completed", query)).body["start"].startswith(start)


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("hours=0", "hours", "is '0'; it must be a whole number from 1 to 720"),
        ("hours=721", "hours", "is '721'; it must be a whole number from 1 to 720"),
        ("hours=-1", "hours", "is '-1'; it must be a whole number from 1 to 720"),
        ("hours=1h", "hours", "is '1h'; it must be a whole number from 1 to 720"),
        ("hours=", "hours", "is ''; it must be a whole number from 1 to 720"),
        ("format=xml", "format", "is 'xml'; it must be json or csv"),
        ("format=", "format", "is ''; it must be json or csv"),
        ("query=x", "query", "is not a parameter of this call, which accepts format and hours"),
    ],
)
async def test_a_wrong_parameter_is_named_with_its_value_and_its_rule_and_no_query_is_sent(
    caller: Caller, server: LogsServer, query: str, field: str, message: str
) -> None:
    answered = await caller.get("insights/jobs_completed", query)
    assert (answered.status, answered.errors) == (400, [(field, message)])
    assert server.asked == []


@pytest.mark.parametrize("name", ["jobs", "resource_scope", "..", "a%20b", "jobs_completed.kql"])
async def test_there_is_no_other_report(caller: Caller, server: LogsServer, name: str) -> None:
    assert (await caller.get(f"insights/{name}")).status == 404
    assert server.asked == []


async def test_reports_need_a_key(app: App, caller: Caller) -> None:
    del app
    stranger = type(caller)(caller.app, key="wrong")
    for path in ("insights", "insights/jobs_completed"):
        assert (await stranger.get(path)).status == 401


async def test_an_app_that_does_not_know_where_its_telemetry_is_names_the_setting(caller: Caller) -> None:
    answered = await caller.get("insights/jobs_completed")
    assert (answered.status, answered.body["code"]) == (503, "not_configured")
    assert "LOG_ANALYTICS_WORKSPACE_ID" in answered.body["detail"]
    assert "Retry-After" not in answered.headers


async def test_a_throttled_report_says_when_to_come_back(caller: Caller, server: LogsServer) -> None:
    server.gives(429, refusal("ThrottledError", "x"), Retry_After="17")
    answered = await caller.get("insights/jobs_completed")
    assert (answered.status, answered.headers["Retry-After"]) == (429, "17")


@pytest.mark.parametrize(
    ("status", "code", "detail"),
    [
        (403, "not_configured", "Log Analytics Reader"),
        (404, "not_configured", "LOG_ANALYTICS_WORKSPACE_ID"),
        (500, "unavailable", "Try again"),
    ],
)
async def test_a_refusal_of_the_service_is_a_problem_without_its_words(
    caller: Caller, server: LogsServer, status: int, code: str, detail: str
) -> None:
    server.gives(status, refusal("Code", f"words about {WORKSPACE}"))
    answered = await caller.get("insights/jobs_completed")
    assert (answered.status, answered.body["code"]) == (503, code)
    assert detail in answered.body["detail"]
    assert WORKSPACE not in answered.text
    assert "words about" not in answered.text


async def test_a_service_that_hangs_costs_a_caller_no_more_than_the_limit(
    caller: Caller, server: LogsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure_logs, "WITHIN_SECONDS", 0.3)
    server.hanging = True
    answered = await caller.get("insights/jobs_completed")
    assert (answered.status, answered.body["code"]) == (503, "unavailable")
    assert answered.body["detail"] == (
        "Azure's log service took too long. Try again later, or with fewer hours."
    )


def test_the_service_gives_up_first_then_the_app_and_the_call_last() -> None:
    assert azure_logs.SERVICE_SECONDS < azure_logs.WITHIN_SECONDS < insights._WITHIN_SECONDS


async def test_what_is_not_whole_says_so_in_json_and_in_csv(caller: Caller, server: LogsServer) -> None:
    error = refusal("PartialError", "x")["error"]
    server.finds(COLUMNS, ROWS[:1] * (MAX_ROWS + 1), error)
    body = (await caller.get("insights/jobs_completed")).body
    assert (body["partial"], body["truncated"], len(body["rows"])) == (True, True, MAX_ROWS)
    assert "could not read all of the data" in body["notice"]
    assert "ask for fewer hours" in body["notice"]
    answered = await caller.get("insights/jobs_completed", "format=csv")
    assert answered.headers["X-Notice"] == body["notice"]
    assert answered.headers["Content-Disposition"] == 'attachment; filename="jobs_completed-incomplete.csv"'


async def test_a_csv_has_a_header_and_is_a_file(caller: Caller, server: LogsServer) -> None:
    server.finds(COLUMNS, ROWS)
    answered = await caller.get("insights/jobs_completed", "format=csv")
    assert answered.status == 200
    assert answered.headers["Content-Disposition"] == 'attachment; filename="jobs_completed.csv"'
    assert answered.text == (
        '"hour","jobs","images"\r\n"2026-01-01T09:00:00Z",3,120\r\n"2026-01-01T10:00:00Z",1,""\r\n'
    )


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ("\r\n=1", "'=1"),
        ("\uff1d1", "'\uff1d1"),
        ('a;=HYPERLINK("x")', 'a;\'=HYPERLINK("x")'),
        ("a; =1", "a; '=1"),
        ("line\nline", "line line"),
        ("\u202e=1", "<U+202E>=1"),
        ('it says "no", = 1', 'it says "no", = 1'),
        ("caf\u00e9", "caf\u00e9"),
    ],
)
async def test_no_text_of_a_csv_is_a_formula(
    caller: Caller, server: LogsServer, text: str, cell: str
) -> None:
    server.finds(ERRORS, [[text, "-", -5, None, text, ""]])
    answered = await caller.get("insights/exceptions", "format=csv")
    header, row = csv.reader(io.StringIO(answered.text, newline=""))
    assert header == [name for name, _ in ERRORS]
    assert row == [cell, "'-", "-5", "", cell, ""]
