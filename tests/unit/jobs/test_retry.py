"""A retry repeats only what may have another result."""

import asyncio
import json
from dataclasses import replace

import pytest

from shared.errors import Conflict, NotFound, Permanent
from shared.jobs.flow.watchdog import WatchdogConfig
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE
from shared.jobs.job.states import State
from shared.records.records import Reason
from tests.unit.jobs.job_outcomes import SPEC, TOTAL
from tests.unit.jobs.simulation import Flow
from tests.unit.jobs.troubled import night, run_troubled, troubled


@pytest.fixture
def roomy(flow):
    del flow  # it brings the fake source
    return Flow(chunk_size=1000)


async def test_only_candidates_that_failed_for_a_transient_reason_are_fetched_again(flow):
    job = await run_troubled(flow)
    flow.worker.reject = lambda index: troubled(index) if index < 100 else None
    again = await flow.retry.run("admin", job.id)
    assert (again.state, again.revision) == (State.QUEUED, 2)
    await flow.run()
    assert sorted(flow.worker.fetched) == [index for index in range(TOTAL) if index % 10 in {3, 8}]
    found = await flow.job(job)
    assert (found.state, found.revision) == (State.COMPLETED, 2)
    outcomes = await flow.delivered(job)
    assert outcomes == {
        index: str(troubled(index) or "kept") if index < 100 else ("corrupt" if index % 10 == 7 else "kept")
        for index in range(TOTAL)
    }
    progress = await flow.ledger.progress(job.id)
    assert (progress.found, progress.tally.kept) == (TOTAL, 160)
    assert progress.tally.rejections == {"corrupt": 20, "server_error": 10, "timed_out": 10}
    dataset = await flow.catalog.require("admin", job.id)
    assert (dataset.revision, dataset.image_count) == (2, 160)


async def test_revisions_go_on_until_nothing_is_left_to_retry(flow):
    job = await run_troubled(flow)
    for revision in (2, 3, 4):
        fixed = revision * 50
        flow.worker.reject = lambda index, fixed=fixed: troubled(index) if index >= fixed else None
        flow.worker.fetched.clear()
        await flow.retry.run("admin", job.id)
        await flow.run()
        assert (await flow.job(job)).revision == revision
        first = (revision - 1) * 50 if revision > 2 else 0
        wanted = [index for index in range(first, TOTAL) if index % 10 in {3, 8}]
        assert sorted(flow.worker.fetched) == wanted
    outcomes = await flow.delivered(job)
    assert {index for index, outcome in outcomes.items() if outcome != "kept"} == set(range(7, TOTAL, 10))
    with pytest.raises(Conflict, match="nothing to retry"):
        await flow.retry.run("admin", job.id)
    assert (await flow.job(job)).state is State.COMPLETED


async def test_the_earlier_dataset_stays_recorded_until_the_new_one_is(flow):
    job = await run_troubled(flow)
    before = await flow.catalog.require("admin", job.id)
    flow.worker.reject = lambda _: None
    await flow.retry.run("admin", job.id)
    while not (waiting := flow.queues.take(ARCHIVES_QUEUE)):
        for queue, text in flow.take():
            await flow.handle(queue, text)
    assert await flow.catalog.require("admin", job.id) == before
    assert await flow.blobs.get(before.blobs[0])
    for text in waiting:
        await flow.handle(ARCHIVES_QUEUE, text)
    after = await flow.catalog.require("admin", job.id)
    assert (after.revision, after.image_count) == (2, 180)
    assert await flow.blobs.get(before.blobs[0])  # for links that were handed out, and jobs that read it
    await night(flow, days=8)
    names = [info.name async for info in flow.blobs.list("datasets/")]
    assert set(names) == {*after.blobs, after.records_blob}


async def test_a_retry_that_is_asked_for_again_is_the_same_one(flow):
    job = await run_troubled(flow)
    flow.worker.reject = lambda _: None
    asked = await asyncio.gather(*(flow.retry.run("admin", job.id) for _ in range(4)))
    assert {found.revision for found in asked} == {2}
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    assert (await flow.retry.run("admin", job.id)).revision == 2
    await flow.run(times=2)
    assert len(flow.worker.fetched) == len(set(flow.worker.fetched)) == 40
    assert (await flow.job(job)).revision == 2


async def test_the_error_says_why_a_job_cannot_be_retried(flow):
    running = await flow.send(SPEC)
    with pytest.raises(Conflict, match="is queued"):
        await flow.retry.run("admin", running.id)
    with pytest.raises(NotFound):
        await flow.retry.run("admin", "none")
    await flow.intake.handle_job("m", "no job at all", flow.deadline())
    [refused] = [job for job in (await flow.jobs.page("admin")).items if job.state is State.FAILED]
    with pytest.raises(Conflict, match="corrected"):
        await flow.retry.run("admin", refused.id)
    flow.worker.reject = lambda _: Reason.CORRUPT
    await flow.run()
    assert (await flow.job(running)).failure.code == "no_images"
    with pytest.raises(Conflict, match="nothing to retry"):
        await flow.retry.run("admin", running.id)
    async for info in flow.blobs.list("work/"):
        await flow.blobs.delete(info.name)
    with pytest.raises(Conflict, match="deleted"):
        await flow.retry.run("admin", running.id)


async def test_a_source_that_failed_is_asked_again(flow):
    flow.source.errors = [Permanent("the key is refused")] * 2
    job = await flow.send(SPEC)
    await flow.run()
    assert (await flow.job(job)).state is State.FAILED
    await flow.retry.run("admin", job.id)
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    assert (await flow.delivered(job)).keys() == set(range(TOTAL))


async def test_a_failed_archive_is_tried_again_without_a_fetch(flow):
    job = await flow.send(SPEC)
    while not (waiting := flow.queues.take(ARCHIVES_QUEUE)):
        for queue, text in flow.take():
            await flow.handle(queue, text)
    for _ in range(WatchdogConfig().max_nudges + 1):
        await flow.intake.handle_poisoned_archive("m", waiting[0])
        flow.queues.take(ARCHIVES_QUEUE)
    assert (await flow.job(job)).failure.code == "archive_crashed"
    flow.worker.reject = lambda _: Reason.TIMED_OUT
    flow.worker.fetched.clear()
    await flow.retry.run("admin", job.id)
    await flow.intake.handle_poisoned_archive("m", waiting[0])  # it comes late, and fails no later revision
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    assert sorted(flow.worker.fetched) == list(range(9, TOTAL, 10))
    assert (await flow.catalog.require("admin", job.id)).image_count == 180


async def test_a_retry_reads_its_records_in_slices(flow):
    job = await run_troubled(flow, {**SPEC, "sources": [{"type": "fake", "total": 400}]})
    flow.worker.reject = lambda _: None
    flow.clock.tick = 250.0
    before = len(flow.queues.sent[JOBS_QUEUE])
    await flow.retry.run("admin", job.id)
    await flow.run()
    assert len(flow.queues.sent[JOBS_QUEUE]) - before > 3
    assert sorted(flow.worker.fetched) == [index for index in range(800) if index % 10 in {3, 8}]
    assert (await flow.catalog.require("admin", job.id)).image_count == 720


@pytest.mark.parametrize("lost", [JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE])
async def test_the_watchdog_sends_a_retry_on(flow, lost):
    job = await run_troubled(flow)
    flow.worker.reject = lambda _: None
    await flow.retry.run("admin", job.id)
    for _ in range(50):
        taken = flow.take()
        kept = [(queue, text) for queue, text in taken if queue != lost]
        if len(kept) < len(taken):
            break
        for queue, text in kept:
            await flow.handle(queue, text)
    flow.clock.advance(1000)
    assert await flow.watchdog.run(flow.deadline()) == 1
    await flow.run()
    found = await flow.job(job)
    assert (found.state, found.revision) == (State.COMPLETED, 2)
    assert (await flow.catalog.require("admin", job.id)).image_count == 180


async def test_the_webhook_hears_of_every_revision(flow):
    job = await run_troubled(flow, {**SPEC, "webhook_url": "https://hooks.example/x"})
    for _ in range(2):
        await flow.retry.run("admin", job.id)
        await flow.run(times=2)
    bodies = [json.loads(request.body) for request in flow.web.sent]
    assert [(body["data"]["revision"], body["type"]) for body in bodies] == [
        (1, "job.completed"),
        (2, "job.completed"),
        (3, "job.completed"),
    ]
    assert (await flow.delivery(job)).state == "delivered"


async def test_a_straggler_of_an_earlier_revision_changes_nothing(flow):
    job = await flow.send(SPEC)
    while not flow.queues.take(ARCHIVES_QUEUE):
        for queue, text in flow.take():
            await flow.handle(queue, text)
    stale = await flow.job(job)
    assert stale.state is State.ARCHIVING
    await flow.cancel(job)
    await flow.retry.run("admin", job.id)
    ended = await flow.transitions.complete(stale, 1)
    assert (ended.state, ended.revision) == (State.QUEUED, 2)
    await flow.run()
    dataset = await flow.catalog.require("admin", job.id)
    assert dataset.revision == 2
    late = replace(dataset, revision=1, image_count=1)
    await flow.catalog.put(late)
    await flow.catalog.undo("admin", job.id, 1, None)
    assert await flow.catalog.require("admin", job.id) == dataset


async def test_a_job_of_thousands_of_long_labels_ends_and_is_retried(roomy):
    roomy.worker.reject = troubled
    labels = [f"{number} {'a long caption ' * 13}"[:200] for number in range(3000)]
    items = [{"url": f"http://x.example/{at}.jpg", "label": label} for at, label in enumerate(labels)]
    job = await roomy.send({**SPEC, "keywords": [], "sources": [{"type": "urls", "items": items}]})
    await roomy.run()
    assert (await roomy.job(job)).state is State.COMPLETED
    progress = await roomy.ledger.progress(job.id)
    assert (progress.tally.found, progress.tally.kept, progress.transient) == (3000, 2100, 600)
    roomy.worker.reject = lambda _: None
    await roomy.retry.run("admin", job.id)
    await roomy.run()
    progress = await roomy.ledger.progress(job.id)
    assert (progress.tally.found, progress.tally.kept, progress.transient) == (3000, 2700, 0)
    assert all(number > 0 for outcomes in progress.tally.counts.values() for number in outcomes.values())
    dataset = await roomy.catalog.require("admin", job.id)
    assert (dataset.revision, dataset.image_count) == (2, 2700)
    assert sum(outcomes.get("kept", 0) for outcomes in dataset.counts.values()) == 2700
