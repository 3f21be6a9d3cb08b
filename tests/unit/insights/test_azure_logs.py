"""Reports from Azure's log service, through its own client and DefaultAzureCredential, over TLS on loopback."""

import asyncio
import logging
import time
import traceback
from datetime import UTC, datetime

import pytest
from azure.identity.aio import DefaultAzureCredential

from shared.errors import AppError, NotConfigured, Permanent, RateLimited, Unavailable
from shared.insights import azure_logs
from shared.insights.log_source import Scope, log_source
from shared.insights.queries import bounded_query
from shared.insights.report import MAX_ROWS, Findings, Kind, Report, Span
from shared.insights.reports import REPORTS
from tests.unit.insights.conftest import RESOURCE, WORKSPACE, Connect
from tests.unit.insights.logs_server import LogsServer, refusal

REPORT = REPORTS["jobs_completed"]
SPAN = Span(datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2026, 1, 2, 9, 30, tzinfo=UTC))
COLUMNS = [("hour", "datetime"), ("jobs", "long"), ("images", "long")]
ROWS = [["2026-01-01T09:00:00Z", 3, 120], ["2026-01-01T10:00:00Z", 1, None]]
FOUND = (
    (datetime(2026, 1, 1, 9, tzinfo=UTC), 3, 120),
    (datetime(2026, 1, 1, 10, tzinfo=UTC), 1, None),
)
SECRETS = (WORKSPACE, RESOURCE, "secret words of the service", "d6b8ae7a")
TYPES = {Kind.TEXT: "string", Kind.NUMBER: "real", Kind.TIME: "datetime"}


async def test_a_workspace_is_asked_for_a_span_of_time_with_a_token_of_the_apps_identity(
    server: LogsServer, connect: Connect, identity: list[str | None]
) -> None:
    server.finds(COLUMNS, ROWS)
    assert await connect().run(REPORT, SPAN) == Findings(FOUND)
    assert server.asked == [
        {
            "path": f"/v1/workspaces/{WORKSPACE}/query",
            "body": {
                "query": bounded_query(REPORT, Scope.WORKSPACE),
                "timespan": "2026-01-01T09:00:00.000Z/2026-01-02T09:30:00.000Z",
                "workspaces": None,
            },
            "authorization": "Bearer t",
            "prefer": f"wait={azure_logs.SERVICE_SECONDS}",
        }
    ]
    assert identity == ["of-the-process"]


async def test_a_resource_is_asked_by_the_names_that_it_knows(server: LogsServer, connect: Connect) -> None:
    server.finds(COLUMNS, ROWS)
    assert await connect(resource=RESOURCE).run(REPORT, SPAN) == Findings(FOUND)
    (asked,) = server.asked
    assert asked["path"].replace("//", "/") == f"/v1{RESOURCE}/query"
    assert asked["body"]["query"] == bounded_query(REPORT, Scope.RESOURCE)
    assert "let AppEvents = customEvents" in asked["body"]["query"]


@pytest.mark.parametrize("report", REPORTS.values(), ids=lambda report: report.name)
async def test_every_report_reads_its_columns_in_whatever_order_they_come(
    server: LogsServer, connect: Connect, report: Report
) -> None:
    values = {Kind.TEXT: "a", Kind.NUMBER: 1.5, Kind.TIME: "2026-01-01T09:00:00.1234567Z"}
    columns = [("more", "dynamic"), *((column.name, TYPES[column.kind]) for column in report.columns[::-1])]
    server.finds(columns, [["{}", *(values[column.kind] for column in report.columns[::-1])]])
    ((*row,),) = (await connect().run(report, SPAN)).rows
    times = [value for value in row if isinstance(value, datetime)]
    assert all(value.date() == datetime(2026, 1, 1, tzinfo=UTC).date() for value in times)
    assert [type(value) for value in row] == [
        {Kind.TEXT: str, Kind.NUMBER: float, Kind.TIME: datetime}[column.kind] for column in report.columns
    ]


async def test_numbers_that_are_none_are_null(server: LogsServer, connect: Connect) -> None:
    server.finds(COLUMNS, [[None, "NaN", "Infinity"]])
    assert (await connect().run(REPORT, SPAN)).rows == ((None, None, None),)


async def test_a_partial_result_is_marked_and_the_services_words_stay_in(
    server: LogsServer, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    error = refusal("PartialError", SECRETS[2], "E_LOW_MEMORY")["error"]
    server.finds(COLUMNS, ROWS, error)
    assert await connect().run(REPORT, SPAN) == Findings(FOUND, partial=True)
    assert "PartialError" in caplog.text
    assert not [word for word in SECRETS if word in caplog.text]


async def test_more_rows_than_a_report_may_have_are_cut_and_marked(
    server: LogsServer, connect: Connect
) -> None:
    server.finds(COLUMNS, ROWS[:1] * (MAX_ROWS + 1))
    assert await connect().run(REPORT, SPAN) == Findings(FOUND[:1] * MAX_ROWS, truncated=True)
    server.finds(COLUMNS, ROWS[:1] * MAX_ROWS)
    assert await connect().run(REPORT, SPAN) == Findings(FOUND[:1] * MAX_ROWS)


@pytest.mark.parametrize("answer", [(204, ""), (200, {"tables": []}), (200, {"tables": None})])
async def test_a_workspace_without_data_is_an_empty_report(
    server: LogsServer, connect: Connect, answer: tuple[int, object]
) -> None:
    server.gives(*answer)
    assert await connect().run(REPORT, SPAN) == Findings(())


@pytest.mark.parametrize(
    ("status", "answer", "kind", "words"),
    [
        (
            403,
            refusal("InsufficientAccessError", SECRETS[2], "AuthorizationFailedError"),
            NotConfigured,
            "role",
        ),
        (403, "<html>", NotConfigured, "Log Analytics Reader"),
        (401, refusal("AuthenticationFailed", SECRETS[2]), NotConfigured, "identity"),
        (404, refusal("PathNotFoundError", SECRETS[2]), NotConfigured, "LOG_ANALYTICS_WORKSPACE_ID"),
        (404, refusal("WorkspaceNotFoundError", SECRETS[2]), NotConfigured, "LOG_ANALYTICS_WORKSPACE_ID"),
        (
            400,
            refusal("BadArgumentError", SECRETS[2], "SemanticError", "SEM0100"),
            NotConfigured,
            "no telemetry",
        ),
        (400, refusal("BadArgumentError", SECRETS[2], "SyntaxError"), Permanent, "status 400"),
        (400, "{", Permanent, "status 400"),
        (413, refusal("PayloadTooLarge", SECRETS[2]), Permanent, "status 413"),
        (500, refusal("InternalServerError", SECRETS[2]), Unavailable, "did not answer"),
        (502, "", Unavailable, "did not answer"),
        (501, "", Unavailable, "did not answer"),
        (503, "<html>", Unavailable, "did not answer"),
        (520, "<html>", Unavailable, "did not answer"),
        (504, refusal("GatewayTimeout", SECRETS[2]), Unavailable, "took too long"),
    ],
)
async def test_a_refusal_says_what_an_operator_can_do_and_leaks_nothing(
    server: LogsServer,
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    status: int,
    answer: object,
    kind: type[AppError],
    words: str,
) -> None:
    server.gives(status, answer)
    with pytest.raises(kind) as raised:
        await connect().run(REPORT, SPAN)
    assert words in raised.value.detail
    assert f"status {status}" in caplog.text
    seen = raised.value.detail + caplog.text + "".join(traceback.format_exception(raised.value))
    assert not [word for word in SECRETS if word in seen]
    assert len(server.asked) == 1


async def test_a_resource_that_is_not_there_is_named_by_its_setting(
    server: LogsServer, connect: Connect
) -> None:
    server.gives(404, refusal("ResourceNotFoundError", SECRETS[2]))
    with pytest.raises(NotConfigured, match="APPLICATIONINSIGHTS_RESOURCE_ID"):
        await connect(resource=RESOURCE).run(REPORT, SPAN)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "17"}, 17),
        ({}, 30),
        ({"Retry_After": "soon"}, 30),
        ({"Retry_After": "999999"}, 3600),
        ({"Retry_After": "Thu, 01 Jan 2026 00:00:00 GMT"}, 0),
    ],
)
@pytest.mark.parametrize("body", ["", refusal("ThrottledError", SECRETS[2])])
async def test_a_throttled_query_says_when_to_come_back_and_is_not_repeated(
    server: LogsServer, connect: Connect, headers: dict[str, str], seconds: float, body: object
) -> None:
    server.gives(429, body, **headers)
    with pytest.raises(RateLimited) as raised:
        await connect().run(REPORT, SPAN)
    assert raised.value.retry_after_seconds == seconds
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '"text"',
        "<html></html>",
        "[" * 100_000,
        {"tables": 7},
        {"tables": [7]},
        {"tables": [{}]},
        {"tables": [{"columns": [{"name": "hour"}], "rows": []}]},
        {"tables": [{"columns": [{"name": "hour", "type": "datetime"}], "rows": [["2026-01-01"]]}]},
        {"tables": [{"columns": [{"name": n, "type": t} for n, t in COLUMNS], "rows": [[None]]}]},
        {"tables": [{"columns": [{"name": n, "type": t} for n, t in COLUMNS], "rows": [[None] * 9]}]},
        {"tables": [{"columns": [{"name": n, "type": t} for n, t in COLUMNS], "rows": [None]}]},
        {"tables": [{"columns": [{"name": n, "type": t} for n, t in COLUMNS], "rows": [["x", 1, 1]]}]},
        {"tables": [{"columns": [{"name": n, "type": t} for n, t in COLUMNS], "rows": [[None, "1", 1]]}]},
        {"tables": [{"columns": [{"name": n, "type": t} for n, t in COLUMNS], "rows": [[None, True, 1]]}]},
        {"error": "x", "tables": []},
    ],
    ids=lambda answer: str(answer)[:100],
)
async def test_garbage_is_no_answer(server: LogsServer, connect: Connect, answer: object) -> None:
    server.gives(200, answer)
    with pytest.raises(Unavailable, match="cannot read"):
        await connect().run(REPORT, SPAN)


async def test_a_service_that_hangs_is_left_after_a_while(
    server: LogsServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure_logs, "WITHIN_SECONDS", 0.3)
    server.hanging = True
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="took too long"):
        await connect().run(REPORT, SPAN)
    assert time.monotonic() - begun < 5


async def test_a_service_that_cannot_be_reached_did_not_answer(
    connect: Connect, unused_tcp_port: int
) -> None:
    with pytest.raises(Unavailable, match="did not answer"):
        await connect(endpoint=f"https://127.0.0.1:{unused_tcp_port}").run(REPORT, SPAN)


async def test_a_server_with_a_strangers_certificate_gets_no_token(
    server: LogsServer, credential: DefaultAzureCredential
) -> None:
    logs = azure_logs.AzureLogs(
        azure_logs.logs_client(credential, server.url), log_source(WORKSPACE, None, server.url)
    )
    with pytest.raises(Unavailable):
        await logs.run(REPORT, SPAN)
    await logs.close()
    assert server.asked == []


async def test_an_app_without_an_identity_says_so(
    server: LogsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    async with DefaultAzureCredential() as credential:
        client = azure_logs.logs_client(credential, server.url, connection_verify=str(server.certificate))
        logs = azure_logs.AzureLogs(client, log_source(WORKSPACE, None, server.url))
        with pytest.raises(NotConfigured, match="no identity"):
            await logs.run(REPORT, SPAN)
        await logs.close()
    assert server.asked == []


async def test_many_reports_at_once_do_not_mix(
    server: LogsServer, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.finds(COLUMNS, ROWS)
    logs = connect()
    found = await asyncio.gather(*(logs.run(REPORT, SPAN) for _ in range(20)))
    assert found == [Findings(FOUND)] * 20
    assert "Bearer t" not in caplog.text
