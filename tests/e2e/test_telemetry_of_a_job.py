"""The items of jobs and nightly runs, with the host's own items, are complete trees."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import aiohttp
import pytest
from azure.storage.queue.aio import QueueClient

from playground.client import ApiClient
from playground.ingestion import Ingestion, serving
from playground.operation_tree import Item, faults_of_job, job_tree, orphans, read_item, trees_of, walk
from playground.stack import Stack

type Envelopes = Sequence[Mapping[str, Any]]

OF_A_JOB = {
    "azure_blob_upload",
    "dataset_size_mb",
    "dataset_upload_completed",
    "dataset_upload_started",
    "images_processed",
    "job_completed",
    "operation_completed",
    "storage_upload_size_mb",
    "user_action",
    "web_request",
}


@pytest.fixture
async def ingestion() -> AsyncIterator[Ingestion]:
    async with serving(Ingestion()) as server:
        yield server


@pytest.fixture
async def stack(make_stack: Callable[..., Stack], ingestion: Ingestion, gallery: str) -> Stack:
    return make_stack(
        OPENVERSE_BASE_URL=gallery,
        APPLICATIONINSIGHTS_CONNECTION_STRING=ingestion.connection_string,
        AZURE_MONITOR_SAMPLING_RATE="1",
        CHUNK_SIZE="20",
    )


@pytest.fixture
def api(stack: Stack, session: aiohttp.ClientSession) -> ApiClient:
    return ApiClient(session, stack.url, stack.api_key)


async def ended(api: ApiClient, spec: Mapping[str, Any], correlation_id: str) -> Mapping[str, Any]:
    job = await api.submit(spec, X_Correlation_ID=correlation_id)
    async for seen in api.follow(str(job["id"]), every_seconds=0.5):
        job = seen
    return job


async def settled(ingestion: Ingestion, job: Mapping[str, Any], outcome: str, correlation_id: str) -> Item:
    """Returns the tree of a job once all of it has arrived."""

    def faults(items: Envelopes) -> list[str]:
        found = orphans(items) + faults_of_job(items, str(job["id"]), correlation_id)
        return found if named(items, outcome) else [*found, f"no {outcome}"]

    with contextlib.suppress(TimeoutError):
        await ingestion.until(lambda items: not faults(items))
    assert faults(ingestion.items) == []
    return job_tree(ingestion.items, str(job["id"]))


def named(envelopes: Envelopes, *names: str) -> list[Item]:
    return [item for item in map(read_item, envelopes) if item.name in names]


def spans_of(item: Item) -> dict[str, list[Item]]:
    """Returns the runs of functions in a tree by their names."""
    found: dict[str, list[Item]] = {}
    for each in walk(item):
        if each.kind in {"request", "span"}:
            found.setdefault(each.name, []).append(each)
    return found


async def test_a_job_is_one_tree_from_its_call_over_the_queues_to_its_archive(
    stack: Stack, api: ApiClient, ingestion: Ingestion
) -> None:
    spec = {"keywords": ["cat"], "max_images_per_label": 30}
    job = await ended(api, spec, "ours-1")
    assert job["state"] == "completed", stack.tail()
    tree = await settled(ingestion, job, "job_completed", "ours-1")
    runs = spans_of(tree)
    assert list(runs) == ["submit_job", "discover_job", "crawl_chunk", "archive_dataset"]
    [discovery], [archive] = runs["discover_job"], runs["archive_dataset"]
    assert discovery in tree.children
    assert len(runs["crawl_chunk"]) >= 2
    assert all(chunk in discovery.children for chunk in runs["crawl_chunk"])
    assert any(archive in chunk.children for chunk in runs["crawl_chunk"])
    assert {item.name for item in walk(tree)} - runs.keys() == OF_A_JOB
    assert [item.name for item in archive.children][-2] == "job_completed"

    requests = {item.operation_id: item for item in map(read_item, ingestion.items) if item.kind == "request"}
    for span in (item for items in runs.values() for item in items if item.kind == "span"):
        hosts = requests[span.properties["host_operation_id"]]
        assert (hosts.name, hosts.operation_id == span.operation_id) == (span.name, False)
    [completed] = [
        envelope["data"]["baseData"]
        for envelope in ingestion.items
        if read_item(envelope).name == "job_completed"
    ]
    assert completed["measurements"]["images_processed"] == job["progress"]["kept"]


async def test_a_job_that_fails_is_an_event_and_an_exception_with_its_reason_in_its_tree(
    stack: Stack, api: ApiClient, ingestion: Ingestion, gallery: str
) -> None:
    items = [{"url": f"{gallery}/not/here.jpg", "label": "lost"}]
    job = await ended(api, {"sources": [{"type": "urls", "items": items}]}, "ours-2")
    assert (job["state"], job["error"]["code"]) == ("failed", "no_images"), stack.tail()
    tree = await settled(ingestion, job, "job_failed", "ours-2")
    [archive] = spans_of(tree)["archive_dataset"]
    [event] = [item for item in archive.children if item.name == "job_failed"]
    [exception] = [item for item in archive.children if item.kind == "exception"]
    for item in (event, exception):
        assert (item.properties["job_id"], item.properties["reason"]) == (job["id"], "no_images")
    [chunk] = spans_of(tree)["crawl_chunk"]
    [discovery] = spans_of(tree)["discover_job"]
    assert archive in chunk.children
    assert chunk in discovery.children
    assert discovery in tree.children
    assert not named(ingestion.items, "job_completed", "dataset_upload_completed")


async def test_a_producers_job_is_one_tree_under_the_request_of_the_function_that_took_its_message(
    stack: Stack, ingestion: Ingestion
) -> None:
    spec = {"job_id": "mine-1", "keywords": ["cat"], "max_images_per_label": 5, "correlation_id": "theirs"}
    async with QueueClient.from_connection_string(stack.azurite.connection_string, "crawl-jobs") as jobs:
        await jobs.send_message(json.dumps(spec))
    tree = await settled(ingestion, {"id": "mine-1"}, "job_completed", "theirs")
    assert (tree.kind, tree.name, tree.parent_id) == ("request", "discover_job", "")
    first, *_ = tree.children
    assert (first.kind, first.name) == ("span", "discover_job")
    assert first.properties["host_operation_id"] == tree.operation_id
    assert [item.name for item in walk(first) if item.name == "job_completed"] == ["job_completed"]


@pytest.mark.parametrize(
    ("timer", "metrics"),
    [("lifecycle", {"datasets_archived"}), ("business_metrics", {"daily_active_users", "revenue_usd"})],
)
async def test_a_night_is_a_tree_under_the_hosts_request(
    stack: Stack, api: ApiClient, ingestion: Ingestion, timer: str, metrics: set[str]
) -> None:
    assert stack.host_is_running
    await api.run_function(timer)
    await ingestion.until(lambda items: len(named(items, timer, *metrics)) > len(metrics))
    [night] = [roots for roots in trees_of(ingestion.items).values() if roots[0].name == timer]
    [request] = night
    assert (request.kind, request.parent_id) == ("request", "")
    assert metrics <= {item.name for item in walk(request)}


async def test_every_item_has_the_role_and_the_instance_that_the_hosts_items_have(
    make_stack: Callable[..., Stack], ingestion: Ingestion
) -> None:
    make_stack(
        APPLICATIONINSIGHTS_CONNECTION_STRING=ingestion.connection_string,
        WEBSITE_SITE_NAME="Pictures",
        WEBSITE_INSTANCE_ID="seven",
    )
    await ingestion.until(lambda items: named(items, "application_started") and named(items, "health_ready"))
    found = {
        (item["tags"]["ai.cloud.role"], item["tags"]["ai.cloud.roleInstance"]) for item in ingestion.items
    }
    assert found == {("pictures", "seven")}
