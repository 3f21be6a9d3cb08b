"""Whatever order messages come in, dying anywhere, each job is counted once with what its dataset has."""

import asyncio
import random

import pytest

from shared.errors import Conflict, QuotaExceeded, Unavailable
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission
from shared.records.records import Reason
from shared.users.tiers import read_tiers
from tests.unit.jobs.simulation import Flow

TIERS = read_tiers({"free": {"jobs_at_once": 4, "images_per_month": 400, "images_per_job": 50}})
SPEC = {
    "keywords": ["a"],
    "sources": [{"type": "fake", "total": 70, "page": 7}],
    "dedup": {"near_distance": None},
}


async def _until_done(step):
    while True:
        try:
            return await step()
        except Unavailable:
            continue
        except (Conflict, QuotaExceeded):
            return None


def _mortal(flow, chance):
    """Has one of the next writes fail."""
    flow.weather.writes_left, flow.weather.after = chance.randint(1, 6), chance.random() < 0.5


async def _submit(flow, number):
    submission = Submission("ann", flow.specs.parse(SPEC), f"key-{number}")
    return await _until_done(lambda: flow.submit.run(submission))


@pytest.mark.parametrize("seed", range(30))
async def test_submits_ends_cancels_and_retries_are_counted_once_in_any_schedule(seed):
    chance, flow = random.Random(seed), Flow(tiers=TIERS, running_jobs=2)
    flow.worker.reject = lambda index: (None, None, Reason.TIMED_OUT, Reason.CORRUPT)[index % 4]
    await flow.add_user("ann")
    flow.weather.chance = chance
    _mortal(flow, chance)
    # each is submitted twice at the same time
    found = await asyncio.gather(*(_submit(flow, number % 4) for number in range(8)))
    flow.weather.writes_left = -1
    jobs = {job.id: job for job in found if job is not None}
    await flow.storm(chance, copies=True, deaths=True, at_once=3, rounds=chance.randint(5, 60))
    first = next(iter(jobs.values()))
    _mortal(flow, chance)
    flow.weather.chance = chance
    await _until_done(lambda: flow.cancel(first))
    await flow.storm(chance, copies=True, deaths=True, at_once=3)
    flow.worker.reject = lambda _: None
    _mortal(flow, chance)
    flow.weather.chance = chance
    retried = chance.sample(sorted(jobs), k=min(2, len(jobs)))
    twice = [lambda name=name: flow.retry.run("ann", name) for name in retried * 2]
    await asyncio.gather(*map(_until_done, twice))
    flow.weather.writes_left = -1
    await flow.storm(chance, copies=True, deaths=True, at_once=3)
    flow.weather.writes_left = -1
    await _check(flow, jobs)


async def _check(flow, jobs):
    stored = [await flow.job(job) for job in jobs.values()]
    assert {job.state for job in stored} <= {State.COMPLETED, State.CANCELLED}
    flow.clock.advance(2000)
    await flow.watchdog.run(flow.deadline())
    usage = await flow.usage.look_up("ann", flow.clock.now())
    datasets = [await flow.catalog.get("ann", job.id) for job in stored]
    kept = sum(dataset.image_count for dataset in datasets if dataset is not None)
    assert (usage.jobs_open, usage.images_reserved, usage.images_kept) == (0, 0, kept)
    assert all(dataset.image_count <= 50 for dataset in datasets if dataset is not None)
    assert [item async for item in flow.usage.listed(flow.clock.now())] == []
