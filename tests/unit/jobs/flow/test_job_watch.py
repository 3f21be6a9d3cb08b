"""A step notices within seconds that its job has ended or was retried."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from shared.errors import Changed, Unavailable
from shared.jobs.flow.job_watch import JobEnded, JobWatches
from shared.jobs.job.states import State

SPEC = {"keywords": ["a"], "sources": [{"type": "fake"}]}


@pytest.fixture
async def job(flow):
    return await flow.send(SPEC)


@pytest.fixture
def reads(flow, monkeypatch):
    """Counts the reads of the job's row. The first of them raise the errors in `fails`."""
    get = flow.jobs.get
    made: list[str] = []
    fails: list[Exception] = []

    async def counted(user_id, job_id):
        made.append(job_id)
        if fails:
            raise fails.pop(0)
        return await get(user_id, job_id)

    monkeypatch.setattr(flow.jobs, "get", counted)
    return made, fails


@pytest.mark.parametrize("end", ["cancelled", "retried", "gone"])
async def test_a_refresh_notices_every_end_of_a_revision(flow, job, end):
    watch = JobWatches(flow.jobs, flow.clock).watch(job)
    assert await watch.refresh() is False
    await watch.check()
    if end == "gone":
        watch = JobWatches(flow.jobs, flow.clock).watch(replace(job, id="gone"))
    elif end == "cancelled":
        await flow.cancel(job)
    else:
        await flow.cancel(job)
        await flow.retry.run("admin", job.id)
        assert (await flow.job(job)).state is State.QUEUED
    assert watch.has_ended() is False  # it has not looked
    assert await watch.refresh() is True
    assert watch.has_ended() is True
    with pytest.raises(JobEnded):
        await watch.check()


async def test_steps_that_check_often_read_the_job_once_an_interval(flow, job, reads):
    made, _ = reads
    watch = JobWatches(flow.jobs, flow.clock).watch(job)
    for _ in range(100):
        flow.clock.advance(0.5)
        await watch.check_if_due()
    assert len(made) == 11  # in fifty seconds


async def test_after_a_failed_refresh_the_next_interval_reads_the_job(flow, job, reads):
    made, fails = reads
    watch = JobWatches(flow.jobs, flow.clock).watch(job)
    await flow.transitions.cancel(job)
    fails.append(Unavailable("storage is away"))
    made.clear()
    flow.clock.advance(5)
    await watch.check_if_due()
    await watch.check_if_due()
    assert len(made) == 1
    flow.clock.advance(5)
    with pytest.raises(Changed):
        await watch.check_if_due()


async def test_a_refresh_that_the_caller_asks_for_raises_if_storage_does_not_answer(flow, job, reads):
    _, fails = reads
    watch = JobWatches(flow.jobs, flow.clock).watch(job)
    fails.append(Unavailable("storage is away"))
    with pytest.raises(Unavailable):
        await watch.refresh()
    assert await watch.refresh() is False


async def test_work_goes_on_until_a_refresh_finds_the_end(flow, job, reads):
    made, fails = reads
    fails += [Unavailable("storage is away")] * 3
    watch = JobWatches(flow.jobs, flow.clock, every_seconds=0.001).watch(job)
    async with asyncio.timeout(10), watch.watching() as watcher:
        while len(made) < 6:  # noqa: ASYNC110 - counts what the watch does
            await asyncio.sleep(0.001)
        assert not watch.has_ended()
        await flow.transitions.cancel(job)
        await watcher
    assert watch.has_ended()


async def test_work_has_stopped_when_the_end_of_the_job_is_raised(flow, job):
    stopped = asyncio.Event()

    async def work():
        await flow.cancel(job)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            stopped.set()

    watch = JobWatches(flow.jobs, flow.clock, every_seconds=0.001).watch(job)
    with pytest.raises(JobEnded):
        await watch.unless_ended(work())
    assert stopped.is_set()


async def test_work_that_is_not_interrupted_returns_its_result_or_raises_its_error(flow, job):
    async def returning():
        return 7

    async def failing():
        raise ValueError("wrong")

    watch = JobWatches(flow.jobs, flow.clock).watch(job)
    assert await watch.unless_ended(returning()) == 7
    with pytest.raises(ValueError, match="wrong"):
        await watch.unless_ended(failing())
    assert len(asyncio.all_tasks()) == 1


async def test_an_error_of_the_watch_itself_does_not_count_as_the_jobs_end(flow, job, reads):
    _, fails = reads
    fails.append(TypeError("a mistake"))
    watch = JobWatches(flow.jobs, flow.clock, every_seconds=0.001).watch(job)
    with pytest.raises(TypeError):
        await watch.unless_ended(asyncio.Event().wait())


async def test_runs_that_work_for_one_revision_at_the_same_time_share_the_reads(flow, job, reads):
    made, _ = reads
    watches = JobWatches(flow.jobs, flow.clock, every_seconds=0.02)
    several = [watches.watch(job) for _ in range(8)]
    async with asyncio.timeout(10), contextlib.AsyncExitStack() as stack:
        watchers = [await stack.enter_async_context(watch.watching()) for watch in several]
        while len(made) < 5:  # noqa: ASYNC110 - counts what the watches do
            await asyncio.sleep(0.001)
        await flow.transitions.cancel(job)
        before = len(made)
        await asyncio.gather(*watchers)
        # one read found the end for all; the first line may count one that had begun before
        assert len(made) <= before + 2
    assert all(watch.has_ended() for watch in several)


async def test_a_watch_of_another_revision_sees_nothing_of_the_end_of_this_one(flow, job):
    watches = JobWatches(flow.jobs, flow.clock)
    first = watches.watch(job)
    await flow.cancel(job)
    assert await first.refresh() is True
    await flow.retry.run("admin", job.id)
    second = watches.watch(await flow.job(job))
    assert second.has_ended() is False
    assert await second.refresh() is False
    assert first.has_ended() is True
