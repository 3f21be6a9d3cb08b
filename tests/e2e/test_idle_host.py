"""A host without work asks little of storage, and begins a job at once all the same. Azurite counts the calls."""

import asyncio
import json
from collections import Counter

import pytest

from bench.suites.prices import QUEUES
from playground.azurite import ROOT, is_poll
from playground.client import ApiClient
from playground.stack import Stack
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, LIFECYCLE_QUEUE, WEBHOOKS_QUEUE
from tests.devhost.waiting import eventually

_POLLING = "AzureFunctionsJobHost__extensions__queues__maxPollingInterval"
# after its ninth empty poll, a listener pauses for 10 seconds or more
_POLLS_UNTIL_IDLE = 9
_WINDOW_SECONDS = 20
_CALLS_AN_HOUR = 5_000


@pytest.fixture
def idle_stack(tmp_path):
    """The app as host.json has it, which is right for a host that runs all functions."""
    queues = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]
    settings = {_POLLING: queues["maxPollingInterval"], "WAKE_QUEUES": "true"}
    stack = Stack(tmp_path, settings={"CRAWL_ALLOW_PRIVATE_NETWORKS": "true", **settings}, log_requests=True)
    stack.start()
    yield stack
    stack.stop()


def _polls(calls):
    """Returns how often each queue was asked for messages."""
    return Counter(path.split("/")[2] for method, path in calls if is_poll(method, path))


def _messages(calls):
    """Returns how many messages were sent to each queue."""
    sent = (path.split("/") for method, path in calls if method == "POST" and "/messages" in path)
    return Counter(parts[2] for parts in sent)


async def test_an_idle_hour_costs_few_calls_and_each_step_of_a_job_is_woken(idle_stack, gallery, session):
    served = idle_stack.azurite.served

    def is_idle():
        polled = _polls(served())
        return all(polled[queue] >= _POLLS_UNTIL_IDLE for queue in QUEUES)

    await asyncio.to_thread(eventually, is_idle, seconds=90.0)
    before = len(served())
    await asyncio.sleep(_WINDOW_SECONDS)
    calls = served()[before:]
    # at twenty seconds, the pauses still grow to those of host.json
    assert max(_polls(calls).values(), default=0) <= 2, calls
    assert len(calls) * 3600 / _WINDOW_SECONDS <= _CALLS_AN_HOUR, calls

    before = len(served())
    api = ApiClient(session, idle_stack.url, idle_stack.api_key)
    job = await api.submit({"sources": [{"type": "urls", "items": [f"{gallery}/photos/rocket/1.jpg"]}]})
    async for seen in api.follow(job["id"], every_seconds=0.5):
        job = seen
    assert job["state"] == "completed", job
    calls = served()[before:]
    sent, polled = _messages(calls), _polls(calls)
    # each step has its message and a wake-up, and the wake-ups themselves send none
    assert all(sent[queue] >= 2 for queue in (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE)), sent
    assert sent[WEBHOOKS_QUEUE] == sent[LIFECYCLE_QUEUE] == 0
    assert sum(sent.values()) <= 10, sent
    # a listener that nothing wakes has hardly polled in that time
    assert all(polled[queue] <= 1 for queue in QUEUES if queue not in sent), polled
    assert all(polled[queue] >= 2 for queue in sent), polled
