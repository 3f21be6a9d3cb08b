"""Every signal as it arrives at an ingestion service, from the functions that emit it: nothing between is replaced.

Only storage is in memory, and the days until a dataset is archived pass at once.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import azure.functions as func
import pytest

from functions import message, queues, timers
from functions.http import endpoint
from playground.gallery import default_photos
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, LIFECYCLE_QUEUE
from shared.settings import Settings
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.storage.memory.queues import MemoryQueues
from shared.telemetry import signals
from shared.telemetry.azure_monitor.client import AzureMonitorConfig, AzureMonitorTelemetry
from shared.telemetry.connection_string import Destination
from shared.wiring import App
from tests.unit.functions.http.http_calls import KEY as API_KEY
from tests.unit.functions.http.http_calls import Caller
from tests.unit.manual_clock import ManualClock
from tests.unit.telemetry.ingestion import KEY, Ingestion, ingestion_server, name_of

ROOT = Path(__file__).parents[3]
HOST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CONTEXT = SimpleNamespace(trace_context=SimpleNamespace(trace_parent=HOST))


class Row(NamedTuple):
    """The properties that an item must have on the wire, without those that every item has."""

    kind: str
    properties: str = ""
    measurements: str = ""


UPLOADED = "duration_seconds file_size_mb image_count"
ENDED = Row("Event", "images_count duration_seconds reason", "images_processed duration")
TABLE = {
    "user_action": Row("Event", "user_id user_tier action"),
    "operation_completed": Row("Event", "operation"),
    "images_processed": Row("Metric", "status"),
    "names_looked_up": Row("Metric", "outcome"),
    "job_completed": Row("Event", "images_count duration_seconds", "images_processed duration"),
    "job_failed": ENDED,
    "job_cancelled": ENDED,
    "shared.jobs.flow.job_ends.JobFailed": Row("Exception", "operation error_type reason"),
    "dataset_upload_started": Row("Event", "image_count destination"),
    "dataset_upload_completed": Row("Event", "destination tier", UPLOADED),
    "storage_upload_size_mb": Row("Metric", "destination tier"),
    "dataset_size_mb": Row("Metric", "tier"),
    "azure_blob_upload": Row("RemoteDependency", "", "file_size_mb"),
    "dataset_archived": Row("Event", "dataset age_days size_mb"),
    "datasets_archived": Row("Metric"),
    "archive_dataset": Row("RemoteDependency", "host_operation_id"),
    "crawl_chunk": Row("RemoteDependency", "host_operation_id"),
    "discover_job": Row("RemoteDependency", "host_operation_id"),
    "continue_lifecycle": Row("RemoteDependency", "host_operation_id"),
    # without a host, calls have spans of their own
    "submit_job": Row("RemoteDependency"),
    "cancel_job": Row("RemoteDependency"),
    "profile_not_found": Row("Event", "user_id endpoint"),
    "rate_limit_exceeded": Row("Event", "path method client_ip expires_in_seconds"),
    "daily_active_users": Row("Metric"),
    "revenue_usd": Row("Metric"),
    "conversion_rate": Row("Metric"),
}
OF_EVERY_ITEM = {"environment", "correlation_id", "job_id"}
FUNCTIONS = {
    JOBS_QUEUE: queues.discover_job,
    CHUNKS_QUEUE: queues.crawl_chunk,
    ARCHIVES_QUEUE: queues.archive_dataset,
    LIFECYCLE_QUEUE: queues.continue_lifecycle,
}


@pytest.fixture
async def ingestion() -> AsyncIterator[Ingestion]:
    async with ingestion_server() as server:
        yield server


@pytest.fixture
async def app(ingestion: Ingestion, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    made = App(Settings(admin_api_key=API_KEY, cool_after_days=None, archive_after_days=1))
    clock = ManualClock()
    vars(made).update(
        clock=clock,
        blobs=MemoryBlobs(clock),
        entities=MemoryEntities(),
        queues=MemoryQueues(),
        telemetry=AzureMonitorTelemetry(
            Destination(KEY, ingestion.url), AzureMonitorConfig("test", "r", "i", 1.0)
        ),
    )
    for module in (endpoint, message, queues, timers):
        monkeypatch.setattr(module, "app", lambda: made)
    yield made
    await made.guarded_sessions.close()


def _function(built: Any) -> Callable[..., Any]:
    return cast("Callable[..., Any]", built._function.get_user_function())


async def _work(app: App) -> None:
    """Runs the functions as the host does, until no message waits."""
    waiting = cast("MemoryQueues", app.queues)
    while taken := [(queue, text) for queue in FUNCTIONS for text in waiting.take(queue)]:
        for queue, text in taken:
            body = func.QueueMessage(id="m1", body=text.encode()).get_body
            received = SimpleNamespace(id="m1", get_body=body, dequeue_count=1)
            await _function(FUNCTIONS[queue])(received, CONTEXT)


async def _everything(app: App) -> None:
    """Runs a job that completes and is archived, failing ones and a cancelled one; emits signals without callers."""
    await Caller(app).post("jobs", {"sources": [{"type": "urls", "items": ["https://localhost/1.jpg"]}]})
    await _work(app)
    await app.blobs.put("inputs/cat/1.jpg", (default_photos() / "rocket.jpg").read_bytes())
    await app.blobs.put("inputs/cat/2.jpg", b"no image")
    for job_id, name in (("good", "1.jpg"), ("bad", "2.jpg")):
        await app.queues.send(
            ARCHIVES_QUEUE, json.dumps({"job_id": job_id, "images": [f"inputs/cat/{name}"]})
        )
    await _work(app)
    caller = Caller(app)
    submitted = await caller.post("jobs", {"keywords": ["cat"]}, X_Correlation_ID="mine")
    assert submitted.headers["X-Correlation-ID"] == "mine"
    assert (await caller.post(f"jobs/{submitted.body['id']}/cancel")).status == 200
    cast("ManualClock", app.clock).advance(3 * 86_400)
    await _function(timers.lifecycle)(None, CONTEXT)
    await _work(app)
    await app.activity.note("ann")
    cast("ManualClock", app.clock).advance(86_400)
    for _ in range(2):
        await _function(timers.business_metrics)(None, CONTEXT)
    signals.profile_not_found(app.telemetry, user_id="u1", endpoint="/api/v1/users/profile")
    signals.rate_limit_exceeded(
        app.telemetry, path="/x", method="GET", client_ip="198.51.100.7", expires_in_seconds=3.5
    )
    await app.telemetry.flush(20)


async def test_every_signal_arrives_with_its_fields(app: App, ingestion: Ingestion) -> None:
    await _everything(app)
    found: dict[str, set[tuple[str, frozenset[str], frozenset[str]]]] = {}
    for item in ingestion.items:
        data, base = item["data"], item["data"]["baseData"]
        properties = frozenset(base["properties"]) - OF_EVERY_ITEM
        measurements = frozenset(base.get("measurements") or {})
        found.setdefault(name_of(item), set()).add(
            (data["baseType"].removesuffix("Data"), properties, measurements)
        )
    for name, row in TABLE.items():
        for kind, properties, measurements in found.get(name, {("nothing", frozenset(), frozenset())}):
            assert kind == row.kind, name
            assert properties == set(row.properties.split()), name
            assert measurements == set(row.measurements.split()), name
    assert found.keys() == TABLE.keys()


async def test_signals_say_what_happened(app: App, ingestion: Ingestion) -> None:
    await _everything(app)
    by_name = {name_of(item): item for item in ingestion.items}

    def properties(name: str) -> dict[str, str]:
        return cast("dict[str, str]", by_name[name]["data"]["baseData"]["properties"])

    assert properties("job_completed")["job_id"] == "good"
    assert (
        properties("job_failed")["job_id"]
        == properties("shared.jobs.flow.job_ends.JobFailed")["job_id"]
        == "bad"
    )
    assert properties("job_failed")["reason"] == "no_images"
    assert properties("job_cancelled")["correlation_id"] == "mine"
    assert properties("rate_limit_exceeded")["client_ip"] == "198.51.100.0"
    assert properties("dataset_archived")["dataset"] == "good"
    upload = by_name["azure_blob_upload"]["data"]["baseData"]
    completed = by_name["dataset_upload_completed"]["data"]["baseData"]
    assert upload["success"] is True
    assert upload["measurements"]["file_size_mb"] == completed["measurements"]["file_size_mb"] > 0


async def test_the_metrics_of_a_day_arrive_once(app: App, ingestion: Ingestion) -> None:
    await _everything(app)
    for name in ("daily_active_users", "revenue_usd", "conversion_rate"):
        assert ingestion.names.count(name) == 1


async def test_all_items_hang_under_spans_that_exist(app: App, ingestion: Ingestion) -> None:
    await _everything(app)
    spans = {HOST[36:52]}
    for item in ingestion.items:
        if item["data"]["baseType"] == "RemoteDependencyData":
            spans.add(item["data"]["baseData"]["id"])
    for item in ingestion.items:
        parent = item["tags"].get("ai.operation.parentId")
        assert parent is None or parent in spans, item


PROGRAM = """
import signal
before = {number: signal.getsignal(number) for number in signal.valid_signals()}
import function_app
assert before == {number: signal.getsignal(number) for number in signal.valid_signals()}

from shared.telemetry.azure_monitor.client import AzureMonitorTelemetry
# the end waits a second at most, which is too short on a busy machine
AzureMonitorTelemetry.flush.__defaults__ = (60.0,)
"""


async def test_the_start_and_the_end_of_a_process_arrive_and_no_signal_handler_is_replaced(
    ingestion: Ingestion,
) -> None:
    environment = {
        "PATH": os.defpath,
        "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={KEY};IngestionEndpoint={ingestion.url}",
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert ingestion.names == ["application_started", "application_startup_time", "application_stopped"]
    [started, startup, stopped] = [item["data"]["baseData"] for item in ingestion.items]
    known = {"environment", "azure_blob_enabled", "azure_insights_enabled", "running_in_azure"}
    assert started["properties"].keys() == stopped["properties"].keys() == known
    assert 0 < startup["metrics"][0]["value"] < 60
