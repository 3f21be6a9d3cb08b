"""A deletion that dies at any change of storage, is repeated, or runs twice at the same time, ends the same."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from shared.errors import Conflict, NotFound, Unavailable
from shared.jobs.job.messages import LIFECYCLE_QUEUE
from tests.unit.lifecycle.deleting import ANN, HOUR, Store

type Ask = Callable[[Store], Awaitable[object]]


async def delete_job(store: Store) -> None:
    await store.app.deletion.delete_job(ANN, "old", keeps_dataset=False)


async def delete_job_only(store: Store) -> None:
    await store.app.deletion.delete_job(ANN, "old", keeps_dataset=True)


async def delete_dataset(store: Store) -> None:
    await store.app.deletion.delete_dataset(ANN, "old")


ASKS = (delete_job, delete_job_only, delete_dataset)


async def new_store() -> Store:
    store = Store()
    await store.add_user()
    await store.add_job("other")
    await store.add_job("old")
    store.failing.changes = 0
    return store


async def stored(store: Store) -> tuple[list[str], list[tuple[str, str, str]]]:
    return await store.names(), sorted(store.rows(""))


async def outcome(ask: Ask) -> tuple[int, object]:
    """Returns how many changes a deletion makes, and what is stored in the end."""
    store = await new_store()
    await ask(store)
    await store.finish()
    return store.failing.changes, await stored(store)


@pytest.mark.parametrize("after", [False, True], ids=["before_a_change", "after_a_change"])
@pytest.mark.parametrize("ask", ASKS)
async def test_a_deletion_that_dies_anywhere_is_completed_when_it_is_asked_for_again(
    ask: Ask, *, after: bool
) -> None:
    changes, expected = await outcome(ask)
    assert changes > 10
    for fails_at in range(1, changes + 1):
        store = await new_store()
        store.failing.fails_at, store.failing.after = fails_at, after
        try:
            await ask(store)
        except Unavailable:
            await ask(store)
        await store.finish(hours=4)
        assert await stored(store) == expected, fails_at


@pytest.mark.parametrize("after", [False, True], ids=["before_a_change", "after_a_change"])
@pytest.mark.parametrize("ask", ASKS)
async def test_what_was_marked_is_deleted_although_nobody_asks_again(ask: Ask, *, after: bool) -> None:
    """Only the dataset may be gone, if the call died between both: then the job is still there to be deleted."""
    changes, expected = await outcome(ask)
    for fails_at in range(1, changes + 1):
        store = await new_store()
        store.failing.fails_at, store.failing.after = fails_at, after
        try:
            await ask(store)
        except Unavailable:
            # its message is lost
            store.queues.take(LIFECYCLE_QUEUE)
        for _ in range(2):
            store.clock.advance(3 * HOUR)
            with contextlib.suppress(Unavailable):
                await store.app.deletion.resume(store.deadline())
            await store.finish(hours=4)
        marks = [row for row in store.rows("old") if row[1] == "~deleting"]
        assert marks == [], fails_at
        if await store.app.job_data.jobs.get(ANN, "old") is None:
            assert await stored(store) == expected, fails_at
        elif await store.app.catalog.get(ANN, "old") is None:
            assert await store.names("datasets/job_old/") == [], fails_at
        else:
            assert len(await store.names("datasets/job_old/")) == 3, fails_at


@pytest.mark.parametrize("ask", ASKS)
async def test_calls_and_tasks_at_the_same_time_do_no_harm(ask: Ask) -> None:
    _, expected = await outcome(ask)
    store = await new_store()
    for _ in range(3):
        await asyncio.gather(*(ask(store) for _ in range(4)), return_exceptions=True)
        tasks = [store.app.deletion.handle(store.task("old"), store.deadline()) for _ in range(4)]
        await asyncio.gather(*tasks)
    await store.finish(hours=4)
    assert await stored(store) == expected


async def test_of_a_retry_and_a_deletion_at_the_same_time_one_wins() -> None:
    retried = 0
    for delay in range(40):
        store = await new_store()
        job = await store.app.job_data.jobs.require(ANN, "old")

        async def retry(store: Store = store, delay: int = delay, job=job) -> None:
            for _ in range(delay):
                await asyncio.sleep(0)
            again = job.retried(store.clock.now(), job.origin)
            await store.app.job_data.jobs.reopen(again)

        outcomes = await asyncio.gather(retry(), delete_job(store), return_exceptions=True)
        refused = [isinstance(found, Conflict | NotFound) for found in outcomes]
        assert sum(refused) == 1, (delay, outcomes)
        stored_job = await store.app.job_data.jobs.get(ANN, "old", also_deleting=True)
        assert stored_job is not None
        assert (stored_job.deleting_since is None) is refused[1]
        if refused[1]:
            retried += 1
            assert stored_job.revision == 2
            assert await store.app.job_data.jobs.keeps_work(stored_job)
            assert await store.app.catalog.require(ANN, "old") is not None
    assert 0 < retried < 40
