"""Lists are checked when a link to store one has ended, though nobody asks for them."""

import pytest

from shared.clock import Deadline
from shared.errors import Conflict
from shared.jobs.job.messages import LIFECYCLE_QUEUE
from shared.jobs.submission import uploaded_lists
from shared.jobs.submission.uploaded_list import ListLimits, NewList
from shared.jobs.submission.uploaded_lists import UploadedLists
from shared.lifecycle.list_checks import CheckLists, ListChecks
from shared.lifecycle.messages import TaskSender
from shared.lifecycle.task_queue import TaskQueue
from shared.storage.memory.blobs import MemoryBlobs
from shared.telemetry.recording import RecordingTelemetry
from tests.unit.functions.http.http_calls import Caller, memory_app
from tests.unit.in_memory import memory_storage, runtime_of
from tests.unit.manual_clock import ManualClock

BY_LINK = NewList("birds", "csv", None)
DATA = b"url\nhttps://example.org/1.jpg\n"


class Copying(MemoryBlobs):
    """Refuses to delete a blob while a copy to it runs."""

    copies_to = ""

    async def delete(self, name: str) -> None:
        if name == self.copies_to:
            raise Conflict(f"The blob {name} is being copied.")
        await super().delete(name)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def storage(clock):
    return memory_storage(Copying(clock))


@pytest.fixture
def telemetry():
    return RecordingTelemetry()


@pytest.fixture
def checks(storage, clock, telemetry):
    limits = ListLimits(lists=10, bytes=10_000_000_000, unused_days=30)
    lists = UploadedLists(storage, runtime_of(clock, telemetry), limits)
    return ListChecks(lists, TaskSender(storage.queues))


async def _run(checks, storage, telemetry, clock):
    """Handles the messages that have been sent, as the queue's function does."""
    tasks = TaskQueue([checks.kind], checks.sender, telemetry)
    for message in storage.queues.take(LIFECYCLE_QUEUE):
        await tasks.run(message, Deadline.after(clock, 60))


async def test_what_links_have_stored_and_no_list_may_be_is_deleted_when_they_have_ended(
    checks, storage, telemetry, clock, monkeypatch
):
    monkeypatch.setattr(uploaded_lists, "MOST_BYTES", 100)
    large, deleted, good = [(await checks.lists.add("ann", BY_LINK)).found for _ in range(3)]
    await checks.lists.delete("ann", deleted.id)
    await storage.blobs.put(large.blob("ann"), bytes(101))
    for each in (deleted, good):
        await storage.blobs.put(each.blob("ann"), DATA)
    await storage.blobs.put("inputs/ann/own.csv", bytes(101))
    for _ in range(2):
        await checks.follow_link("ann")
        await _run(checks, storage, telemetry, clock)
        names = {info.name async for info in storage.blobs.list("inputs/")}
        assert names == {good.blob("ann"), "inputs/ann/own.csv"}
    assert [each.id for each in (await checks.lists.page("ann")).items] == [good.id]


async def test_a_blob_that_cannot_be_deleted_yet_is_reported_and_stops_no_other(
    checks, storage, telemetry, clock
):
    first, second = sorted([(await checks.lists.add("ann", BY_LINK)).found.blob("ann") for _ in range(2)])
    for each in (await checks.lists.page("ann")).items:
        await checks.lists.delete("ann", each.id)
    for name in (first, second):
        await storage.blobs.put(name, DATA)
    storage.blobs.copies_to = first
    await checks.run(CheckLists("ann"), Deadline.after(clock, 60))
    assert [info.name async for info in storage.blobs.list("inputs/")] == [first]
    assert len(telemetry.signals) == 1
    storage.blobs.copies_to = ""
    assert await checks.lists.delete_unused(Deadline.after(clock, 60)) == 1


async def test_a_call_for_a_link_has_the_lists_checked_a_minute_after_its_end(monkeypatch):
    app = memory_app()
    monkeypatch.setattr("functions.http.endpoint.app", lambda: app)
    sent = []

    class Sender(TaskSender):
        async def send(self, task, *, delay_seconds=0.0):
            sent.append((task, delay_seconds))

    vars(app).update(task_sender=Sender(app.queues))
    assert (await Caller(app).post("lists", b"", "upload=true&format=csv")).status == 201
    assert sent == [(CheckLists("admin"), 960)]
    assert (await Caller(app).post("lists", DATA, "format=csv")).status == 201
    assert len(sent) == 1
