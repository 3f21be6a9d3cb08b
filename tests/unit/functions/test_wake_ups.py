"""A function that has sent messages wakes the queues that they are in, and no others."""

from types import SimpleNamespace
from typing import override

import azure.functions as func
import pytest

from functions import wake_ups
from functions.wake_ups import WAKE_UP, received, with_wake_ups
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE
from shared.storage.memory.queues import MemoryQueues


class Heard(func.Out[str]):
    def __init__(self):
        self.said = None

    @override
    def set(self, val):
        self.said = val

    @override
    def get(self):
        return self.said


@pytest.fixture
def now(monkeypatch):
    """The time of the process in seconds, at which no queue has received a message yet."""
    times = [1000.0]
    monkeypatch.setattr(wake_ups, "_received_at", {})
    monkeypatch.setattr(wake_ups, "time", SimpleNamespace(monotonic=lambda: times[0]))
    return times


def function_that_sends(*queues, enabled=True):
    async def work(msg: str) -> str:
        sender = MemoryQueues()
        for queue in queues:
            await sender.send(queue, msg)
        return msg

    built = with_wake_ups(func.Blueprint(), work, lambda: enabled)
    return built._function.get_user_function()


async def woken_by(function):
    outputs = {name: Heard() for name in wake_ups._OUTPUTS}
    assert await function("x", **outputs) == "x"
    assert {output.said for output in outputs.values()} <= {None, WAKE_UP}
    return {wake_ups._OUTPUTS[name] for name, output in outputs.items() if output.said}


@pytest.mark.usefixtures("now")
async def test_the_queues_that_a_run_has_sent_messages_to_are_woken():
    assert await woken_by(function_that_sends(ARCHIVES_QUEUE, ARCHIVES_QUEUE)) == {ARCHIVES_QUEUE}
    assert await woken_by(function_that_sends()) == set()


@pytest.mark.usefixtures("now")
async def test_chunks_are_woken_with_a_job_because_its_discovery_sends_them_while_it_runs():
    assert await woken_by(function_that_sends(JOBS_QUEUE)) == {JOBS_QUEUE, CHUNKS_QUEUE}


async def test_a_queue_that_polls_often_because_of_a_message_is_not_woken(now):
    function = function_that_sends(CHUNKS_QUEUE)
    received(CHUNKS_QUEUE)
    now[0] += 0.9
    assert await woken_by(function) == set()
    now[0] += 0.1
    assert await woken_by(function) == {CHUNKS_QUEUE}


@pytest.mark.usefixtures("now")
async def test_nothing_is_woken_where_the_setting_says_so():
    assert await woken_by(function_that_sends(JOBS_QUEUE, enabled=False)) == set()


@pytest.mark.usefixtures("now")
async def test_a_run_that_fails_wakes_nothing():
    async def work(msg: str) -> None:
        await MemoryQueues().send(JOBS_QUEUE, msg)
        raise TimeoutError

    output = Heard()
    built = with_wake_ups(func.Blueprint(), work, lambda: True)
    with pytest.raises(TimeoutError):
        await built._function.get_user_function()("x", wake_crawl_jobs=output)
    assert output.said is None
