"""Many blobs are deleted in slices, a few at a time, however many there are."""

import asyncio
from collections.abc import AsyncIterator
from typing import override

from shared.clock import Deadline
from shared.jobs.job.messages import LIFECYCLE_QUEUE
from shared.jobs.job.states import State
from shared.lifecycle.blob_deletion import delete_blobs
from shared.storage.blobs import BlobInfo
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.lifecycle.deleting import ANN, HOUR, Store
from tests.unit.manual_clock import ManualClock

BLOBS = 20_000
DELETION_SECONDS = 0.02


class SlowBlobs(MemoryBlobs):
    """Blobs whose deletion takes time. It counts the deletions at the same time, and the names that wait for one."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.time = clock
        self.at_a_time = self.most_at_a_time = 0
        self.waiting = self.most_waiting = 0

    @override
    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        self.waiting = 0
        async for info in super().list(prefix):
            self.waiting += 1
            self.most_waiting = max(self.most_waiting, self.waiting)
            yield info

    @override
    async def delete(self, name: str) -> None:
        self.at_a_time += 1
        self.most_at_a_time = max(self.most_at_a_time, self.at_a_time)
        await asyncio.sleep(0)
        self.time.advance(DELETION_SECONDS)
        await super().delete(name)
        self.at_a_time -= 1
        self.waiting -= 1


async def test_twenty_thousand_blobs_are_deleted_in_slices_and_in_bounded_memory() -> None:
    store = Store()
    blobs = SlowBlobs(store.clock)
    vars(store.app)["blobs"] = blobs
    await store.add_user()
    await store.add_job("old", State.CANCELLED)
    for number in range(BLOBS):
        await blobs.put(f"work/job_old/shards/{number:05}", b"x")
    store.clock.advance(HOUR)
    await store.app.deletion.delete_job(ANN, "old", keeps_dataset=False)
    slices = 0
    while messages := store.queues.take(LIFECYCLE_QUEUE):
        for text in messages:
            began = store.clock.monotonic()
            await store.app.task_queue.run(text, store.deadline(60.0))
            # one batch may begin just before the deadline
            assert store.clock.monotonic() - began < 60.0 + 256 * DELETION_SECONDS
            slices += 1
        store.clock.advance(900)
    assert [info.name async for info in blobs.list("")] == []
    assert store.rows("old") == []
    # 400 seconds of deletions in slices of 60, and a message that waits until the id may be given again
    assert 7 <= slices <= 8
    assert blobs.most_at_a_time == 16
    assert blobs.most_waiting <= 256


async def test_blobs_that_are_kept_stay() -> None:
    clock = ManualClock()
    blobs = MemoryBlobs(clock)
    for name in ("a/1", "a/2", "b/1"):
        await blobs.put(name, b"x")
    deadline = Deadline.after(clock, 60.0)
    assert await delete_blobs(blobs, "a/", deadline, lambda info: info.name == "a/2")
    assert [info.name async for info in blobs.list("")] == ["a/2", "b/1"]


async def test_a_slice_without_time_deletes_nothing() -> None:
    clock = ManualClock()
    blobs = MemoryBlobs(clock)
    await blobs.put("a/1", b"x")
    assert not await delete_blobs(blobs, "a/", Deadline.after(clock, 0.0))
    assert await blobs.info("a/1")
