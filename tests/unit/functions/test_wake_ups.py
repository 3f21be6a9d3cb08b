"""A function that has sent messages wakes the queues that they are in, and no others."""

import asyncio
from types import SimpleNamespace
from typing import override

import azure.functions as func
import pytest

from functions import wake_ups
from functions.wake_ups import EARLY_WAKE_UP, WAKE_UP, is_wake_up, with_wake_ups
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
    monkeypatch.setattr(wake_ups, "_active_at", {})
    monkeypatch.setattr(wake_ups, "_early_at", {})
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


def function_that_receives(queue, body):
    async def handle(msg: str) -> str:
        assert await is_wake_up(queue, body)
        return msg

    return with_wake_ups(func.Blueprint(), handle, lambda: True)._function.get_user_function()


async def wake_ups_of(function):
    outputs = {name: Heard() for name in wake_ups._OUTPUTS}
    assert await function("x", **outputs) == "x"
    return {wake_ups._OUTPUTS[name]: output.said for name, output in outputs.items() if output.said}


async def woken_by(function):
    found = await wake_ups_of(function)
    assert set(found.values()) <= {WAKE_UP}
    return set(found)


@pytest.mark.usefixtures("now")
async def test_the_queues_that_a_run_has_sent_messages_to_are_woken():
    assert await woken_by(function_that_sends(ARCHIVES_QUEUE, ARCHIVES_QUEUE)) == {ARCHIVES_QUEUE}
    assert await woken_by(function_that_sends()) == set()


@pytest.mark.usefixtures("now")
async def test_a_new_job_wakes_the_queue_of_chunks_early_because_discovery_sends_them_while_it_runs():
    found = await wake_ups_of(function_that_sends(JOBS_QUEUE))
    assert found == {JOBS_QUEUE: WAKE_UP, CHUNKS_QUEUE: EARLY_WAKE_UP}


async def test_many_new_jobs_send_one_early_wake_up_in_two_seconds_so_that_few_executions_wait(now):
    new_job = function_that_sends(JOBS_QUEUE)
    found = []
    for _ in range(5):
        found.append(await wake_ups_of(new_job))
        now[0] += 0.5
    assert [CHUNKS_QUEUE in woken for woken in found] == [True, False, False, False, True]
    assert [JOBS_QUEUE in woken for woken in found] == [True, False, True, False, True]


@pytest.mark.usefixtures("now")
async def test_an_early_wake_up_waits_for_the_next_message_and_then_has_its_queue_woken(monkeypatch):
    monkeypatch.setattr(wake_ups, "_EARLY_SECONDS", 60)
    waiting = asyncio.create_task(woken_by(function_that_receives(CHUNKS_QUEUE, EARLY_WAKE_UP.encode())))
    await asyncio.sleep(0)
    await MemoryQueues().send(ARCHIVES_QUEUE, "to another queue")
    await asyncio.sleep(0)
    assert not waiting.done()
    discovery = function_that_sends(CHUNKS_QUEUE)
    await MemoryQueues().send(CHUNKS_QUEUE, "by discovery, which goes on")
    assert await waiting == {CHUNKS_QUEUE}
    # that wake-up serves its other chunks, too
    assert await woken_by(discovery) == set()


@pytest.mark.usefixtures("now")
async def test_an_early_wake_up_without_a_message_ends_after_a_while_and_wakes_nothing(monkeypatch):
    monkeypatch.setattr(wake_ups, "_EARLY_SECONDS", 0.01)
    early = function_that_receives(CHUNKS_QUEUE, EARLY_WAKE_UP.encode())
    assert await woken_by(early) == set()
    assert await woken_by(function_that_sends(CHUNKS_QUEUE)) == {CHUNKS_QUEUE}


async def test_a_queue_that_polls_often_because_of_a_message_is_not_woken(now):
    function = function_that_sends(CHUNKS_QUEUE)
    for body in (b"a chunk", WAKE_UP.encode()):
        now[0] += 10
        assert await is_wake_up(CHUNKS_QUEUE, body) == (body == WAKE_UP.encode())
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
