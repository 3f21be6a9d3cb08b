"""If a write is made but its answer is lost, no job stops: its message comes again and finds the write."""

import itertools

import pytest

from shared.archiving.planning.planner import PlanConfig
from shared.errors import Permanent, Unavailable
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission
from shared.records.records import Reason
from tests.unit.jobs.simulation import Flow

KEYWORDS = ["a", "b"]
SPEC = {"keywords": KEYWORDS, "sources": [{"type": "fake", "total": 30}], "dedup": {"near_distance": None}}
TOTAL = 60
# the tables and queues that a job with a retry writes to
WRITTEN = {
    "apply jobs",
    "apply chunks",
    "apply datasets",
    "send crawl-jobs",
    "send crawl-chunks",
    "send dataset-archives",
}
PARTS = PlanConfig(part_bytes=8000, block_bytes=4000)


async def _until_it_works(flow, call):
    """Repeats a call as a client of the HTTP API does."""
    try:
        return await call()
    except Unavailable:
        assert flow.weather.deaths == 1
        return await call()


async def _work(flow):
    while taken := flow.take():
        for queue, text in taken:
            await flow.deliver(queue, text)


async def _once(flow, lost):
    """Runs a job and its retry, and loses the answer to the write with the number `lost`.

    Returns that write, or None if there were fewer.
    """
    flow.weather.writes_left, flow.weather.after = lost, True
    submission = Submission("admin", flow.specs.parse(SPEC), key="mine")
    job = await _until_it_works(flow, lambda: flow.submit.run(submission))
    flow.worker.reject = lambda index: Reason.TIMED_OUT if index % 10 == 9 else None
    await _work(flow)
    assert (await flow.job(job)).state is State.COMPLETED, lost
    flow.worker.reject = lambda _: None
    await _until_it_works(flow, lambda: flow.retry.run("admin", job.id))
    await _work(flow)
    stored = await flow.job(job)
    assert (stored.state, stored.revision) == (State.COMPLETED, 2), lost
    assert await flow.delivered(job) == dict.fromkeys(range(TOTAL), "kept")
    progress = await flow.ledger.progress(job.id)
    assert (progress.found, progress.tally.kept, progress.tally.found) == (TOTAL, TOTAL, TOTAL)
    return flow.weather.failed[0] if flow.weather.failed else None


@pytest.mark.timeout(360)  # it takes a minute of the processor
@pytest.mark.parametrize("archives", [None, PARTS], ids=["one part", "parts"])
async def test_whichever_answer_is_lost_a_job_and_its_retry_end_without_the_watchdog(archives):
    lost: list[str] = []
    while write := await _once(Flow(archives=archives, window=2), len(lost) + 1):
        lost.append(write)
    assert {write for write in lost if write.startswith(("apply", "send"))} == WRITTEN
    zips = [write for write in lost if write.startswith("commit")]
    assert len(zips) == len({*zips}) == 2  # one of the job, and one of its retry


async def test_a_stored_job_is_enqueued_although_the_answer_was_lost(flow):
    inner, left = flow.entities.apply, [1]

    async def losing(table, partition, changes):
        made = await inner(table, partition, changes)
        if partition == "admin" and left:
            left.pop()
            raise Unavailable("lost")
        return made

    flow.entities.apply = losing
    job = await flow.send(SPEC)
    await flow.run()
    assert not left
    assert (await flow.job(job)).state is State.COMPLETED


@pytest.mark.parametrize("after", [False, True], ids=["lost write", "lost answer"])
async def test_whatever_is_lost_as_a_job_fails_the_next_one_begins(after):
    failed = []
    for lost in itertools.count(1):
        flow = Flow(running_jobs=1)
        jobs = [await flow.send(SPEC) for _ in range(2)]
        await flow.transitions.begin(jobs[0])
        flow.source.errors = [Permanent("it is gone") for _ in KEYWORDS]
        (_, failing), (queue, waiting) = flow.take()
        await flow.deliver(queue, waiting)
        flow.weather.writes_left, flow.weather.after = lost, after
        await flow.deliver(queue, failing)
        await _work(flow)
        states = [(await flow.job(job)).state for job in jobs]
        assert all(state.terminal for state in states), lost
        if not flow.weather.failed:
            break
        failed += flow.weather.failed
    assert states == [State.FAILED, State.COMPLETED]
    assert failed.count("send crawl-jobs") == 1  # the next job's message
