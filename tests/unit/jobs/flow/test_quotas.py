"""A job reserves when it begins and is settled once when it has ended, however it ends and whoever dies meanwhile."""

import contextlib
from dataclasses import replace
from functools import partial
from itertools import count
from typing import ClassVar

import pytest

from shared.errors import Conflict, Forbidden, QuotaExceeded, Unavailable
from shared.jobs.job.job import Failure, Job
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission
from shared.records.records import Reason
from shared.sources.source import SourceKind
from shared.users.caller import TierName
from shared.users.tiers import read_tiers
from shared.users.user import Status
from tests.unit.jobs.fake_source import FakeConfig, FakeSource
from tests.unit.jobs.simulation import Flow

TIERS = read_tiers({"free": {"jobs_at_once": 3, "images_per_month": 100, "images_per_job": 40}})
SPEC = {
    "keywords": ["a"],
    "sources": [{"type": "search", "total": 30}],
    "max_images_per_label": 30,
    "dedup": {"near_distance": None},
}


class SearchConfig(FakeConfig):
    """The fake source as a search, whose labels bound how many images a job keeps."""

    searches: ClassVar[bool] = True
    type: str = "search"


def _flow():
    flow = Flow(tiers=TIERS)
    flow.kinds["search"] = SourceKind(SearchConfig, lambda config, _: FakeSource(config, flow.source))
    return flow


def _reject(index):
    return {3: Reason.TIMED_OUT, 7: Reason.CORRUPT}.get(index % 10)


@pytest.fixture
async def flow():
    flow = _flow()
    flow.worker.reject = _reject
    await flow.add_user("ann")
    return flow


async def _figures(flow):
    now = await flow.usage.look_up("ann", flow.clock.now())
    return now.jobs_open, now.images_reserved, now.images_kept


async def _listed(flow):
    flow.clock.advance(1)
    return [item.job_id async for item in flow.usage.listed(flow.clock.now())]


async def _watch(flow, seconds=0.0):
    flow.clock.advance(seconds)
    await flow.watchdog.run(flow.deadline())


async def test_a_completed_job_counts_what_its_dataset_has(flow):
    job = await flow.send(SPEC, "ann")
    assert await _figures(flow) == (1, 30, 0)
    await flow.run(times=2)
    assert (await flow.job(job)).images == 24
    assert await _figures(flow) == (0, 0, 24)
    assert await _listed(flow) == []


async def test_failed_and_cancelled_jobs_count_nothing(flow):
    failed, cancelled = await flow.send(SPEC, "ann"), await flow.send(SPEC, "ann")
    assert await _figures(flow) == (2, 60, 0)
    for _ in range(2):
        await flow.transitions.fail(await flow.job(failed), "x", "x")
        await flow.cancel(cancelled)
    assert await _figures(flow) == (0, 0, 0)
    assert await _listed(flow) == []


async def test_a_retry_reserves_again_and_counts_only_what_it_adds(flow):
    job = await flow.send(SPEC, "ann")
    await flow.run()
    flow.worker.reject = lambda _: None
    for _ in range(2):
        await flow.retry.run("ann", job.id)
    assert await _figures(flow) == (1, 6, 24)
    assert (await flow.job(job)).max_images == 30
    await flow.run()
    stored = await flow.job(job)
    assert (stored.state, stored.images) == (State.COMPLETED, 27)
    assert await _figures(flow) == (0, 0, 27)


async def test_a_retry_that_is_cancelled_leaves_what_the_first_revision_kept(flow):
    job = await flow.send(SPEC, "ann")
    await flow.run()
    await flow.retry.run("ann", job.id)
    await flow.cancel(job)
    assert await _figures(flow) == (0, 0, 24)


async def test_a_retry_without_room_is_refused_and_changes_nothing(flow):
    job = await flow.send({**SPEC, "max_images_per_label": 1000}, "ann")
    await flow.run()
    others = [await flow.send({**SPEC, "max_images_per_label": 35}, "ann") for _ in range(2)]
    before = await _figures(flow)
    with pytest.raises(QuotaExceeded):
        await flow.retry.run("ann", job.id)
    assert (await flow.job(job)).state is State.COMPLETED
    assert await _figures(flow) == before
    await flow.cancel(others[0])
    assert (await flow.retry.run("ann", job.id)).state is State.QUEUED


async def test_the_watchdog_settles_a_job_whose_end_nobody_followed_up(flow):
    job = await flow.send(SPEC, "ann")
    stored = await flow.job(job)
    await flow.jobs.save(stored.moved(State.FAILED, flow.clock.now(), Failure("x", "x")))
    await _watch(flow)
    assert await _figures(flow) == (1, 30, 0)
    await _watch(flow, 1000)
    assert await _figures(flow) == (0, 0, 0)
    assert await _listed(flow) == []


async def test_the_watchdog_leaves_the_reservation_of_a_job_that_runs(flow):
    await flow.send(SPEC, "ann")
    await _watch(flow, 2000)
    assert await _figures(flow) == (1, 30, 0)


async def test_the_watchdog_takes_back_the_reservation_of_a_job_that_was_never_stored(flow):
    flow.weather.writes_left = 3  # the token, the reservation, and not the spec
    assert await _submit_named(flow) is None
    await _watch(flow, 600)
    assert await _figures(flow) == (1, 30, 0)
    await _watch(flow, 600)
    assert await _figures(flow) == (0, 0, 0)
    assert await _listed(flow) == []


async def test_a_late_follow_up_of_the_first_revision_leaves_the_reservation_of_the_retry(flow):
    job = await flow.send(SPEC, "ann")
    ended = await flow.jobs.save(
        (await flow.job(job)).moved(State.FAILED, flow.clock.now(), Failure("x", "x"))
    )
    await flow.retry.run("ann", job.id)
    await flow.transitions.give_back(ended)
    assert await _figures(flow) == (1, 30, 0)


async def test_a_reservation_that_another_call_asked_for_again_is_not_lost_yet(flow):
    flow.weather.writes_left, flow.weather.after = 3, False  # the token, the reservation, and not the spec
    job = await _submit_named(flow)
    assert job is None
    flow.clock.advance(2000)
    stored = await flow.usage.find("ann", "mine")
    spec = flow.specs.parse(SPEC)
    job = _job(flow, "mine")
    again = await flow.quotas.reserve(job, spec)
    assert again.job.reservation == stored.token
    await flow.quotas.give_back(again)
    await _watch(flow)
    assert await _figures(flow) == (1, 30, 0)
    await flow.jobs.create(again.job, spec)
    await _watch(flow, 2000)
    assert await _figures(flow) == (1, 30, 0)


def _job(flow, job_id):
    return Job(job_id, "ann", "x", State.QUEUED, flow.clock.now(), flow.clock.now())


async def _submit_named(flow, job_id="mine"):
    with contextlib.suppress(Unavailable):
        return await flow.submit.run(Submission("ann", flow.specs.parse(SPEC), None, job_id))
    return None


async def test_a_job_that_is_never_stored_gives_its_reservation_back(flow):
    await flow.add_user("bob")
    await flow.blobs.put("datasets/job_taken/dataset.zip", b"x")
    with pytest.raises(Conflict):
        await _submit_named(flow, "taken")
    assert await _figures(flow) == (0, 0, 0)
    assert await _listed(flow) == []


async def test_a_repetition_is_answered_though_there_is_no_room(flow):
    jobs = [await _submit_named(flow, f"mine-{number}") for number in range(3)]
    with pytest.raises(QuotaExceeded):
        await _submit_named(flow, "mine-4")
    assert (await _submit_named(flow, "mine-1")).id == jobs[1].id
    assert await _figures(flow) == (3, 90, 0)


async def test_a_disabled_user_and_an_unknown_one_may_not_submit(flow):
    await flow.users.change("ann", lambda user: replace(user, status=Status.DISABLED))
    for user_id in ("ann", "nobody"):
        with pytest.raises(Forbidden):
            await flow.send(SPEC, user_id)


async def test_the_admin_has_no_quota(flow):
    jobs = [await flow.send({**SPEC, "max_images_per_label": 1_000_000}) for _ in range(4)]
    await flow.run()
    assert {(await flow.job(job)).state for job in jobs} == {State.COMPLETED}
    assert not await flow.entities.get("usage", "admin", "open")


async def test_a_user_has_as_many_slots_as_the_tier_allows_jobs_at_once(flow):
    jobs = [await flow.send(SPEC, "ann") for _ in range(3)]
    assert [await flow.slots.claim(job) for job in jobs] == [True] * 3
    extra = _job(flow, "extra")
    assert not await flow.slots.has_room(extra)
    await flow.users.change("ann", lambda user: replace(user, tier=TierName.PRO))
    assert await flow.slots.has_room(extra)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("end", ["complete", "cancel", "fail", "retry"])
async def test_a_death_at_any_write_neither_loses_nor_doubles_a_reservation(end, after):
    """Submit, end and retry die at each of their writes, and are repeated as clients and queues do."""
    for at in count(1):
        flow = _flow()
        await flow.add_user("ann")
        flow.weather.after = after
        flow.weather.writes_left = at
        kept = await _whole_life(flow, end)
        flow.weather.writes_left = -1
        await _watch(flow, 2000)
        assert await _figures(flow) == (0, 0, kept), f"died at write {at}"
        assert await _listed(flow) == []
        if not flow.weather.deaths:
            break
    assert at > 8


async def _until_done(step):
    while True:
        try:
            return await step()
        except Unavailable:
            continue


async def _work(flow):
    """Handle what waits. A message that fails is delivered again, and the watchdog sends what was lost."""
    for _ in range(60):
        for queue, text in flow.take():
            await flow.deliver(queue, text)


async def _whole_life(flow, end):
    spec = {**SPEC, "sources": [{"type": "search", "total": 5}]}
    troubled = 3 if end == "retry" else -1
    flow.worker.reject = lambda index: Reason.TIMED_OUT if index == troubled else None
    job = await _until_done(lambda: flow.submit.run(_named(flow, spec)))
    if end in {"cancel", "fail"}:
        ending = flow.cancel if end == "cancel" else partial(_fail, flow)
        await _until_done(lambda: ending(job))
        return 0
    await _work(flow)
    if end == "retry":
        flow.worker.reject = lambda _: None
        await _until_done(lambda: flow.retry.run("ann", job.id))
        await _work(flow)
    assert (await flow.job(job)).state is State.COMPLETED
    return 5


async def _fail(flow, job):
    await flow.transitions.fail(await flow.job(job), "x", "x")


def _named(flow, spec):
    return Submission("ann", flow.specs.parse(spec), "key")
