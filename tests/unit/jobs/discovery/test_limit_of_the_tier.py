"""A job whose spec does not bound its images keeps as many as its owner's tier allows, and does not search for more."""

import pytest

from functions.http.models.answers import JobAnswer
from shared.jobs.job.states import State
from shared.records.records import Reason
from shared.users.tiers import read_tiers
from tests.unit.jobs.simulation import Flow

MOST = 40
TIERS = read_tiers({"free": {"images_per_job": MOST}})
SPEC = {"sources": [{"type": "fake", "total": 400, "page": 10}], "keywords": ["a", "b"]}
WITHOUT_DEDUP = {**SPEC, "dedup": {"near_distance": None}}


@pytest.fixture
async def flow():
    flow = Flow(tiers=TIERS)
    await flow.add_user("ann")
    return flow


async def _run(flow, spec=WITHOUT_DEDUP, user_id="ann"):
    job = await flow.send(spec, user_id)
    await flow.run()
    stored = await flow.job(job)
    assert stored.state is State.COMPLETED
    return stored, await flow.catalog.require(user_id, job.id)


async def _answer(flow, job):
    progress, report = await flow.ledger.progress(job.id), await flow.ledger.report(job.id)
    return JobAnswer.of(job, progress, None, report)


async def test_the_dataset_has_as_many_images_as_the_tier_allows_and_the_job_says_so(flow):
    flow.worker.reject = lambda _: None
    job, dataset = await _run(flow)
    assert dataset.image_count == job.images == MOST
    progress = await flow.ledger.progress(job.id)
    assert progress.found == 2 * MOST + 20
    answer = await _answer(flow, job)
    assert (
        answer.notice
        == "Limited: the dataset has 40 images, as many as the tier of its owner allowed for the job."
    )
    assert answer.problems == ["limit: no more candidates were sought, since the job may keep 40 images"]
    rejected = sum(counts.get("over_limit", 0) for counts in dataset.counts.values())
    assert rejected == progress.found - MOST
    usage = await flow.usage.look_up("ann", flow.clock.now())
    assert (usage.images_kept, usage.images_reserved) == (MOST, 0)


async def test_both_labels_have_images_though_the_limit_is_the_jobs(flow):
    _, dataset = await _run(flow)
    assert min(counts["kept"] for counts in dataset.counts.values()) > MOST // 4


async def test_a_job_that_kept_too_few_searches_on(flow):
    flow.worker.reject = lambda index: Reason.CORRUPT if index % 5 else None
    job, dataset = await _run(flow)
    assert dataset.image_count == MOST
    progress = await flow.ledger.progress(job.id)
    assert 5 * MOST <= progress.found < 8 * MOST


async def test_the_search_for_good_candidates_has_an_end(flow):
    flow.worker.reject = lambda index: None if index == 0 else Reason.CORRUPT
    job, dataset = await _run(flow)
    assert dataset.image_count == 1
    assert (await flow.ledger.progress(job.id)).found < 800
    assert (await _answer(flow, job)).notice is None


async def test_a_retry_keeps_the_limit_of_the_job(flow):
    flow.worker.reject = lambda index: Reason.TIMED_OUT if index % 2 else None
    job, _ = await _run(flow)
    flow.worker.reject = lambda _: None
    job = await flow.retry.run("ann", job.id)
    await flow.run()
    assert (await flow.catalog.require("ann", job.id)).image_count == MOST
    assert (await flow.usage.look_up("ann", flow.clock.now())).images_kept == MOST


async def test_the_admins_jobs_have_no_limit(flow):
    flow.worker.reject = lambda _: None
    job, dataset = await _run(flow, user_id="admin")
    assert dataset.image_count == 800
    assert (await _answer(flow, job)).notice is None
