"""A job ends in the same way in whatever order and however often messages come, and wherever runs die."""

import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Conflict
from shared.jobs.job.messages import ARCHIVES_QUEUE
from shared.jobs.job.states import State
from shared.records.records import Reason
from tests.unit.jobs.simulation import Flow

LABELS = ["a", "b"]
EACH = 45
TOTAL = len(LABELS) * EACH
SPEC = {
    "keywords": LABELS,
    "sources": [{"type": "fake", "total": EACH, "page": 7}],
    "dedup": {"near_distance": None},
}
REASONS = st.sampled_from([None, None, None, Reason.TIMED_OUT, Reason.DNS_FAILED, Reason.CORRUPT])
FATES = st.lists(REASONS, min_size=7, max_size=7)
CHANCE = st.integers(0, 2**32 - 1).map(random.Random)
thoroughly = settings(max_examples=60, derandomize=True)


def _reject(fates, poison=()):
    return lambda index: Reason.CRASHED if index in poison else fates[index % len(fates)]


async def _check(flow, job, reject, revision=1):
    """Checks that the job has completed, each candidate has one record, and the counts agree with the records."""
    stored = await flow.job(job)
    expected = {index: str(reject(index) or "kept") for index in range(TOTAL)}
    progress = await flow.ledger.progress(job.id)
    assert progress.done == progress.added
    assert progress.found == TOTAL
    assert progress.tally.found == TOTAL
    counts = Counter(expected.values())
    assert progress.tally.kept == counts.pop("kept", 0)
    assert progress.tally.rejections == dict(counts)
    if not progress.tally.kept:
        assert (stored.state, stored.failure.code) == (State.FAILED, "no_images")
        return
    assert (stored.state, stored.revision) == (State.COMPLETED, revision)
    assert await flow.delivered(job) == expected
    dataset = await flow.catalog.require("admin", job.id)
    assert (dataset.image_count, dataset.revision) == (progress.tally.kept, revision)
    assert await flow.blobs.info(dataset.blobs[0]) is not None


def _archives_started(flow):
    return len(flow.queues.sent[ARCHIVES_QUEUE])


@thoroughly
@given(CHANCE, FATES, st.integers(1, 25), st.integers(1, 6), st.sampled_from([0.0, 90.0]))
async def test_any_order_and_any_company_fetch_everything_once(chance, fates, budget, at_once, tick):
    flow = Flow()
    flow.worker.budget, flow.worker.reject, flow.clock.tick = budget, _reject(fates), tick
    job = await flow.send(SPEC)
    await flow.storm(chance, copies=False, deaths=False, at_once=at_once)
    await _check(flow, job, _reject(fates))
    assert sorted(flow.worker.fetched) == list(range(TOTAL))
    assert _archives_started(flow) == 1
    ends = [flow.telemetry.named(f"job_{end}") for end in ("completed", "failed", "cancelled")]
    assert sum(map(len, ends)) == 1


@thoroughly
@given(CHANCE, FATES, st.integers(5, 25))
async def test_repeated_messages_start_no_second_archive(chance, fates, budget):
    flow = Flow()
    flow.worker.budget, flow.worker.reject = budget, _reject(fates)
    job = await flow.send(SPEC)
    await flow.storm(chance, copies=True, deaths=False, at_once=1)
    await _check(flow, job, _reject(fates))
    assert sorted(flow.worker.fetched) == list(range(TOTAL))
    assert _archives_started(flow) == 1


@thoroughly
@given(
    CHANCE,
    FATES,
    st.integers(3, 25),
    st.integers(1, 6),
    st.sets(st.integers(0, TOTAL - 1), max_size=3),
    st.sampled_from([0.0, 90.0]),
)
async def test_deaths_copies_and_poison_lose_nothing_and_double_nothing(
    chance, fates, budget, at_once, poison, tick
):
    flow = Flow()
    flow.worker.budget, flow.worker.reject, flow.clock.tick = budget, _reject(fates), tick
    flow.worker.poison = poison
    job = await flow.send(SPEC)
    await flow.storm(chance, copies=True, deaths=True, at_once=at_once)
    await _check(flow, job, _reject(fates, poison))


@thoroughly
@given(CHANCE, FATES, FATES, st.integers(3, 25), st.integers(1, 6), st.booleans())
async def test_a_retry_in_any_schedule_tries_again_only_candidates_that_failed_for_a_transient_reason(
    chance, fates, later, budget, at_once, deaths
):
    def final(index):
        first = fates[index % len(fates)]
        return later[index % len(later)] if first is not None and first.transient else first

    flow = Flow()
    flow.worker.budget, flow.worker.reject = budget, _reject(fates)
    job = await flow.send(SPEC)
    await flow.storm(chance, copies=deaths, deaths=deaths, at_once=at_once)
    flow.worker.fetched.clear()
    flow.worker.reject = _reject(later)
    transient = [index for index in range(TOTAL) if (fates[index % len(fates)] or Reason.CORRUPT).transient]
    try:
        await flow.retry.run("admin", job.id)
    except Conflict:
        assert not transient
        return
    await flow.storm(chance, copies=deaths, deaths=deaths, at_once=at_once)
    await _check(flow, job, final, revision=2)
    assert set(flow.worker.fetched) == set(transient)
    if not deaths:
        assert sorted(flow.worker.fetched) == transient


@thoroughly
@given(CHANCE, FATES, st.integers(3, 25), st.integers(1, 6), st.integers(0, 60))
async def test_a_job_cancelled_anywhere_and_retried_comes_out_whole(chance, fates, budget, at_once, moment):
    fates = [reason if reason is None or not reason.transient else None for reason in fates]

    flow = Flow()
    flow.worker.budget, flow.worker.reject = budget, _reject(fates)
    job = await flow.send(SPEC)
    await flow.storm(chance, copies=False, deaths=False, at_once=at_once, rounds=moment)
    ended = (await flow.job(job)).state.terminal
    if not ended:
        await flow.cancel(job)
    if chance.random() < 0.5:
        await flow.storm(chance, copies=False, deaths=False, at_once=at_once)
        assert (await flow.job(job)).state.terminal
        assert await flow.catalog.get("admin", job.id) is None or ended
    try:
        await flow.retry.run("admin", job.id)
    except Conflict:
        assert ended
    await flow.storm(chance, copies=True, deaths=True, at_once=at_once)
    await _check(flow, job, _reject(fates), revision=(await flow.job(job)).revision)


@thoroughly
@given(CHANCE, st.integers(1, 3), st.integers(1, 6), st.integers(0, 15))
async def test_jobs_that_wait_for_a_slot_all_end_without_the_watchdog(chance, running, at_once, moment):
    """Cancelled jobs end as cancelled and the others complete, and there are never more running jobs than slots."""
    flow = Flow(running_jobs=running)
    most = _watch_running(flow)
    jobs = [await flow.send(SPEC) for _ in range(5)]
    await flow.storm(chance, copies=True, deaths=True, at_once=at_once, rounds=moment)
    cancelled = set()
    for job in chance.sample(jobs, 2):
        if not (await flow.job(job)).state.terminal:
            await flow.cancel(job)
            cancelled.add(job.id)
    await flow.storm(chance, copies=True, deaths=True, at_once=at_once)
    for job in jobs:
        if job.id in cancelled:
            assert (await flow.job(job)).state is State.CANCELLED
            assert await flow.catalog.get("admin", job.id) is None
        else:
            await _check(
                flow, job, _reject([Reason.TIMED_OUT if at % 10 == 9 else None for at in range(TOTAL)])
            )
    assert 0 < most() <= running


def _watch_running(flow):
    """Returns the largest number of jobs that ran at the same time, by the written rows."""
    running, most = set(), [0]
    apply = flow.entities.apply

    async def noting(table, partition, changes):
        made = await apply(table, partition, changes)
        for change in changes:
            entity: Any = getattr(change, "entity", None)
            state = (
                entity.values.get("state")
                if entity is not None and table == "jobs" and partition == "admin"
                else None
            )
            if state in {"discovering", "crawling", "archiving"}:
                running.add(entity.row)
            elif state is not None:
                running.discard(entity.row)
            most[0] = max(most[0], len(running))
        return made

    flow.entities.apply = noting
    return lambda: most[0]
