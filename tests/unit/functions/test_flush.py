"""Signals are sent before their invocation ends, and no caller waits long for that."""

import asyncio
import time
import traceback

import azure.functions as func
import pytest
from pydantic import BaseModel

from functions import invocation, message, timers
from functions.http import endpoint
from functions.http.call import Answer, Text
from functions.http.declared import PUBLIC, Declared
from functions.http.endpoint import http_function
from functions.invocation import InvocationFailed
from functions.message import handling
from shared.errors import Permanent, Unavailable
from shared.settings import Settings
from shared.telemetry import signals
from shared.telemetry.azure_monitor.client import AzureMonitorConfig, AzureMonitorTelemetry
from shared.telemetry.azure_monitor.sender import SenderConfig
from shared.telemetry.connection_string import Destination
from shared.telemetry.correlation import Operation
from shared.wiring import App
from tests.unit.functions.test_trace_context import context_of, message_of
from tests.unit.telemetry.ingestion import KEY, ingestion_server, until

FLUSH_SECONDS = endpoint._FLUSH_SECONDS
HOST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Done(BaseModel):
    done: bool = True


@pytest.fixture
async def ingestion():
    async with ingestion_server() as server:
        yield server


@pytest.fixture
def app(ingestion, monkeypatch):
    """An app whose batches would leave only after a minute without a flush. A flush may take as long as it needs."""
    made = App(Settings())
    config = AzureMonitorConfig(
        "test", "role", "here", 1.0, SenderConfig(interval_seconds=60, timeout_seconds=60)
    )
    vars(made).update(telemetry=AzureMonitorTelemetry(Destination(KEY, ingestion.url), config))
    for module in (endpoint, message, timers):
        monkeypatch.setattr(module, "app", lambda: made)
    for module in (endpoint, invocation):
        monkeypatch.setattr(module, "_FLUSH_SECONDS", 60.0)
    return made


@pytest.fixture
async def warm(app, ingestion):
    """Imports the libraries, and opens the connection."""
    signals.datasets_archived(app.telemetry, count=1)
    await app.telemetry.flush(60)
    ingestion.batches.clear()
    return ingestion


def call(name, work=lambda: None):
    async def handler(_call):
        return Answer(work() or Done())

    handler.__name__ = name
    declared = Declared("GET", "x", {200: Done}, PUBLIC, is_counted=False)
    request = func.HttpRequest("GET", "http://localhost/x", body=b"")
    return http_function(declared, handler)(request, context_of(HOST))


async def hangs(_request, _items):
    await asyncio.sleep(60)


async def test_a_message_is_handled_when_its_signals_have_arrived(app, warm):
    async with handling("crawl_chunk", message_of("{}"), context_of(HOST)):
        signals.images_processed(app.telemetry, job_id="j", kept=2, found=3)
    assert sorted(warm.names) == [
        "crawl_chunk", "images_processed", "images_processed", "operation_completed"
    ]  # fmt: skip


async def test_a_message_that_fails_sends_its_error_before_the_host_hears_of_it(warm):
    with pytest.raises(KeyError):
        async with handling("crawl_chunk", message_of("{}"), context_of(HOST)):
            raise KeyError("x")
    assert sorted(warm.names) == ["KeyError", "crawl_chunk"]
    [error] = [item for item in warm.items if "exceptions" in item["data"]["baseData"]]
    assert error["data"]["baseData"]["properties"]["message_id"] == "1"


@pytest.mark.parametrize("signed", ["https://h.example/b?sv=1&sig=SECRET", "{'api_key': 'SECRET'}"])
@pytest.mark.parametrize("is_cause", [False, True])
async def test_the_host_hears_of_an_error_and_its_causes_without_their_secrets(warm, signed, is_cause):
    failed: Exception = ValueError(signed)
    if is_cause:
        failed = Unavailable("Storage did not answer.")
        failed.__cause__ = ValueError(signed)
    with pytest.raises(InvocationFailed, match=r"ValueError: ") as raised:
        async with handling("crawl_chunk", message_of("{}"), context_of(HOST)):
            raise failed
    # as the worker writes it for the host
    assert "SECRET" not in "".join(traceback.format_exception(raised.value))
    [item] = [item for item in warm.items if "exceptions" in item["data"]["baseData"]]
    types = [found["typeName"] for found in item["data"]["baseData"]["exceptions"]]
    assert types == ["shared.errors.Unavailable", "ValueError"][not is_cause :]
    assert "SECRET" not in str(item)


@pytest.mark.usefixtures("warm")
async def test_an_error_without_secrets_reaches_the_host_as_it_is():
    error = Unavailable("Storage did not answer.")
    with pytest.raises(Unavailable) as raised:
        async with handling("crawl_chunk", message_of("{}"), context_of(HOST)):
            raise error
    assert raised.value is error


async def test_a_call_is_answered_when_its_signals_have_arrived(warm):
    assert (await call("submit_job")).status_code == 200
    assert warm.names == ["operation_completed"]


async def test_a_call_that_is_excluded_reports_nothing_and_waits_for_nothing(app, warm):
    signals.datasets_archived(app.telemetry, count=1)
    assert (await call("get_job")).status_code == 200
    assert warm.names == []
    assert app.telemetry.state().backlog == 1


async def test_a_call_that_is_excluded_sends_its_errors_all_the_same(warm):
    def fail():
        raise KeyError("x")

    assert (await call("get_job", fail)).status_code == 500
    assert warm.names == ["KeyError"]


async def test_a_call_whose_answer_cannot_be_encoded_has_not_completed(warm):
    assert (await call("submit_job", lambda: Text("\ud800", "text/plain"))).status_code == 500
    assert warm.names == ["UnicodeEncodeError"]


async def test_storage_that_refuses_the_app_is_reported_like_an_error_of_the_code(warm, caplog):
    def fail():
        raise Permanent("The app may not use its storage account.")

    assert (await call("get_job", fail)).status_code == 422
    assert warm.names == ["shared.errors.Permanent"]
    assert [record.message for record in caplog.records] == ["get_job failed: Permanent"]


@pytest.mark.parametrize(
    ("excluded", "reported"),
    [
        (None, ["submit_job"]),
        ("none", ["submit_job", "get_job", "health_live"]),
        ("submit_job, health_live", ["get_job"]),
    ],
)
def test_which_calls_are_excluded_is_a_setting(excluded: str | None, reported: list[str]) -> None:
    app = App(Settings(telemetry_excluded_operations=excluded) if excluded else Settings())
    operations = [Operation(name, "", "", "", "") for name in ("submit_job", "get_job", "health_live")]
    assert [found.name for found in operations if app.reports(found)] == reported


async def test_an_ingestion_service_that_hangs_costs_an_answer_a_quarter_of_a_second(warm, monkeypatch):
    assert FLUSH_SECONDS == 0.25
    monkeypatch.setattr(endpoint, "_FLUSH_SECONDS", FLUSH_SECONDS)
    warm.answers = [hangs]
    began = time.monotonic()
    assert (await call("submit_job")).status_code == 200
    assert 0.2 < time.monotonic() - began < 20


async def test_while_sending_fails_nobody_waits(warm):
    warm.answers = [503, hangs]
    async with handling("crawl_chunk", message_of("{}"), context_of(HOST)):
        pass
    await until(lambda: len(warm.requests) >= 3)  # it tries again, and hangs
    async with asyncio.timeout(20):
        for _ in range(20):
            assert (await call("submit_job")).status_code == 200
            async with handling("crawl_chunk", message_of("{}"), context_of(HOST)):
                pass
