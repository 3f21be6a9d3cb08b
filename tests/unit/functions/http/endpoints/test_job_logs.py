"""The log of a job over HTTP: lines of this job alone, and clear texts where there is no log."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.identity.aio import DefaultAzureCredential

from shared.errors import RateLimited
from shared.insights.azure_logs import AzureLogs, logs_client
from shared.insights.job_log import JOB_LOG, MOST_LINES, JobLogs, span_of
from shared.insights.log_source import log_source
from shared.insights.report import Findings, JobIds, Kind, Report, Span
from shared.jobs.job.states import State
from shared.wiring import App
from tests.identity_server import identity_server
from tests.unit.functions.http.description.described import DOCUMENT, flaws
from tests.unit.functions.http.http_calls import Caller
from tests.unit.insights.conftest import WORKSPACE
from tests.unit.insights.logs_server import LogsServer, logs_server, refusal

TYPES = {Kind.TEXT: "string", Kind.NUMBER: "real", Kind.TIME: "datetime"}
COLUMNS = [(column.name, TYPES[column.kind]) for column in JOB_LOG.columns]
HOSTILE = "<img src=x onerror=alert(1)> \u202e"
ROWS = [
    ["2026-01-01T09:00:02Z", "error", "error", "JobFailed", HOSTILE, None],
    ["2026-01-01T09:00:01Z", "run", "info", "crawl_chunk", "", 12.5],
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
        app.__dict__.update(insights=logs)
        yield running
        await logs.close()


@pytest.fixture
async def job_id(app: App, caller: Caller) -> str:
    """A job that has begun."""
    made = (await caller.post("jobs", {"keywords": ["cat"]}, X_Correlation_ID="order-7")).body
    job = await app.job_data.jobs.require("admin", made["id"])
    await app.job_data.jobs.save(job.moved(State.DISCOVERING, app.clock.now()))
    return job.id


async def test_the_service_is_asked_for_this_job_and_its_correlation_id(
    caller: Caller, server: LogsServer, job_id: str
) -> None:
    server.finds(COLUMNS, ROWS)
    answered = await caller.get(f"jobs/{job_id}/log")
    assert answered.status == 200
    assert [(line["name"], line["text"], line["duration_ms"]) for line in answered.body["lines"]] == [
        ("JobFailed", HOSTILE, None),
        ("crawl_chunk", "", 12.5),
    ]
    assert (answered.body["correlation_id"], answered.body["truncated"]) == ("order-7", False)
    [asked] = server.asked
    assert asked["body"]["query"].count(f'"{job_id}"') == 6
    assert asked["body"]["query"].count('"order-7"') == 5
    described = DOCUMENT["paths"]["/api/v1/jobs/{id}/log"]["get"]["responses"]["200"]
    assert flaws(answered.body, described["content"]["application/json"]["schema"]) == []


async def test_a_long_log_is_cut_and_says_so(caller: Caller, server: LogsServer, job_id: str) -> None:
    server.finds(COLUMNS, ROWS[:1] * (MOST_LINES + 1))
    body = (await caller.get(f"jobs/{job_id}/log")).body
    assert (len(body["lines"]), body["truncated"]) == (MOST_LINES, True)


async def test_a_job_that_never_began_has_no_log(app: App, caller: Caller, server: LogsServer) -> None:
    await app.intake.handle_job("message-1", r'{"name": "\ud83d"}', app.deadline())
    answered = await caller.get("jobs/message-1/log")
    assert (answered.status, "has not begun" in answered.body["detail"]) == (404, True)
    assert server.asked == []


async def test_an_app_without_a_workspace_says_what_is_missing(caller: Caller, job_id: str) -> None:
    answered = await caller.get(f"jobs/{job_id}/log")
    assert (answered.status, answered.body["code"]) == (503, "not_configured")
    assert "LOG_ANALYTICS_WORKSPACE_ID" in answered.body["detail"]


async def test_a_user_takes_one_query_at_a_time(caller: Caller, server: LogsServer, job_id: str) -> None:
    server.finds(COLUMNS, ROWS)
    server.hanging = True
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(caller.get(f"jobs/{job_id}/log")) for _ in range(2)]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        server.released.set()
    assert sorted(call.result().status for call in calls) == [200, 429]
    server.hanging = False
    assert (await caller.get(f"jobs/{job_id}/log")).status == 200


async def test_words_of_the_service_stay_in(caller: Caller, server: LogsServer, job_id: str) -> None:
    server.gives(500, refusal("Code", f"words about {WORKSPACE}"))
    answered = await caller.get(f"jobs/{job_id}/log")
    assert (answered.status, answered.body["code"]) == (503, "unavailable")
    assert "words about" not in answered.text


async def test_all_users_together_take_three_queries_at_a_time() -> None:
    begun, released = asyncio.Event(), asyncio.Event()
    asked: list[JobIds | None] = []

    class Hanging:
        missing = None

        async def run(self, report: Report, span: Span, job: JobIds | None = None) -> Findings:
            del report, span
            asked.append(job)
            if len(asked) == 3:
                begun.set()
            await released.wait()
            return Findings(())

    logs, ids, now = JobLogs(Hanging()), JobIds("job", "order-7"), datetime(2026, 1, 1, tzinfo=UTC)
    async with asyncio.TaskGroup() as group:
        for user in ("a", "b", "c"):
            group.create_task(logs.read(user, ids, Span(now, now)))
        await begun.wait()
        with pytest.raises(RateLimited):
            await logs.read("d", ids, Span(now, now))
        released.set()
    assert (await logs.read("d", ids, Span(now, now))).rows == ()
    assert asked == [ids] * 4


def test_no_more_than_thirty_days_before_the_end_are_searched() -> None:
    end = datetime(2026, 6, 1, tzinfo=UTC)
    long, short = span_of(Span(end - timedelta(days=300), end)), span_of(Span(end, end))
    assert (long.end - long.start, short.end - short.start) == (timedelta(days=30), timedelta(hours=2))
