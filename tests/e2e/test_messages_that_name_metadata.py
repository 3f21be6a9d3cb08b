"""Messages whose JSON has names of the host's metadata are handled as all others, in queues and poison queues."""

import asyncio
import json

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from playground.client import ApiClient

KEYS = {
    "DequeueCount": "x",
    "Id": 1,
    "id": "2",
    "PopReceipt": True,
    "InsertionTime": "never",
    "nextvisibletime": 0,
}
QUEUES = ("crawl-jobs", "crawl-chunks", "dataset-archives", "webhooks", "lifecycle")


def _send(stack, queue, text):
    with QueueClient.from_connection_string(stack.azurite.connection_string, queue) as client:
        try:
            client.send_message(text)
        except ResourceNotFoundError:
            client.create_queue()
            client.send_message(text)


def _waiting(stack):
    """Returns the number of messages in each queue."""
    found = {}
    for queue in (*QUEUES, *(f"{name}-poison" for name in QUEUES)):
        with QueueClient.from_connection_string(stack.azurite.connection_string, queue) as client:
            try:
                found[queue] = client.get_queue_properties().approximate_message_count
            except ResourceNotFoundError:
                found[queue] = 0
    return {queue: count for queue, count in found.items() if count}


async def _until_all_are_gone(stack):
    for _ in range(600):
        if not await asyncio.to_thread(_waiting, stack):
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{_waiting(stack)}: {stack.tail()}")


async def test_messages_that_name_the_hosts_metadata_end_as_any_other(make_stack, gallery, session):
    stack = make_stack(message_lease_seconds=4, OPENVERSE_BASE_URL=gallery)
    for key, value in KEYS.items():
        for queue in QUEUES:
            _send(stack, queue, json.dumps({"keywords": ["cat"], key: value}))
    _send(stack, "crawl-jobs", json.dumps({"job_id": "named-1", "keywords": ["cat"], "DequeueCount": "x"}))
    for queue in QUEUES:
        _send(stack, f"{queue}-poison", json.dumps({"keywords": ["cat"], **KEYS}))
    await _until_all_are_gone(stack)
    assert "Failed, Id=" not in stack.log.read_text()
    api = ApiClient(session, stack.url, stack.api_key)
    jobs = (await api.get("/api/v1/jobs?limit=100"))["items"]
    # each message on the queues that take jobs is a failed job that names the key, and none is lost
    reasons = [job["error"]["detail"] for job in jobs]
    assert {job["state"] for job in jobs} == {"failed"}
    for key in KEYS:
        assert any(key in reason for reason in reasons), (key, reasons)
