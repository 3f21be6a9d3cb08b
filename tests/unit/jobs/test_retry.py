"""A retry takes what may end differently, and nothing else."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Conflict, NotFound, Permanent, Unavailable
from shared.jobs.flow.watchdog import WatchdogConfig
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE
from shared.jobs.job.states import State
from shared.records.records import Reason
from tests.unit.jobs.simulation import Flow

SPEC = {"keywords": ["a", "b"], "sources": [{"type": "fake"}], "dedup": {"near_distance": None}}
TOTAL = 200


@pytest.fixture
def roomy(flow):
    del flow  # it brings the fake source
    return Flow(chunk_size=1000)


def _troubled(index):
    return {3: Reason.TIMED_OUT, 7: Reason.CORRUPT, 8: Reason.SERVER_ERROR}.get(index % 10)


async def _run_troubled(flow, spec=SPEC):
    flow.worker.reject = _troubled
    job = await flow.send(spec)
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    flow.worker.fetched.clear()
    return job


async def _night(flow, days):
    """The nightly run, so many days later."""
    flow.clock.advance(timedelta(days=days).total_seconds())
    assert not (await flow.nightly(archive_after_days=10_000).run(flow.deadline())).failed


async def _until_archived(flow):
    """Work up to the message that starts an archive; returns it."""
    while not (waiting := flow.queues.take(ARCHIVES_QUEUE)):
        for queue, text in flow.take():
            await flow.handle(queue, text)
    return waiting[0]


async def _die_behind_the_catalog(flow, message):
    """Handle the message up to where the dataset is recorded."""
    put = flow.catalog.put

    async def put_and_die(dataset):
        await put(dataset)
        raise Unavailable("it dies here")

    flow.catalog.put = put_and_die
    with pytest.raises(Unavailable):
        await flow.handle(ARCHIVES_QUEUE, message)
    flow.catalog.put = put


async def test_only_what_failed_for_a_passing_reason_is_fetched_again(flow):
    job = await _run_troubled(flow)
    flow.worker.reject = lambda index: _troubled(index) if index < 100 else None
    again = await flow.retry.run("admin", job.id)
    assert (again.state, again.revision) == (State.QUEUED, 2)
    await flow.run()
    assert sorted(flow.worker.fetched) == [index for index in range(TOTAL) if index % 10 in {3, 8}]
    found = await flow.job(job)
    assert (found.state, found.revision) == (State.COMPLETED, 2)
    outcomes = await flow.delivered(job)
    assert outcomes == {
        index: str(_troubled(index) or "kept") if index < 100 else ("corrupt" if index % 10 == 7 else "kept")
        for index in range(TOTAL)
    }
    progress = await flow.ledger.progress(job.id)
    assert (progress.found, progress.tally.kept) == (TOTAL, 160)
    assert progress.tally.rejections == {"corrupt": 20, "server_error": 10, "timed_out": 10}
    dataset = await flow.catalog.require("admin", job.id)
    assert (dataset.revision, dataset.image_count) == (2, 160)


async def test_revisions_go_on_until_nothing_is_left_to_retry(flow):
    job = await _run_troubled(flow)
    for revision in (2, 3, 4):
        fixed = revision * 50
        flow.worker.reject = lambda index, fixed=fixed: _troubled(index) if index >= fixed else None
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


async def test_the_dataset_before_stands_until_the_new_one_does(flow):
    job = await _run_troubled(flow)
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
    await _night(flow, days=8)
    names = [info.name async for info in flow.blobs.list("datasets/")]
    assert set(names) == {*after.blobs, after.records_blob}


@pytest.mark.parametrize("late", [False, True])
async def test_a_retry_that_is_cancelled_at_its_very_end_leaves_the_dataset_before(flow, late):
    job = await _run_troubled(flow)
    before = await flow.catalog.require("admin", job.id)
    flow.worker.reject = lambda _: None
    await flow.retry.run("admin", job.id)
    message = await _until_archived(flow)
    await _die_behind_the_catalog(flow, message)
    if late:  # the message comes again before the cancel, which overtakes it
        put = flow.catalog.put

        async def put_while_cancelled(dataset):
            await put(dataset)
            await flow.cancel(job)

        flow.catalog.put = put_while_cancelled
    else:
        await flow.cancel(job)
    await flow.handle(ARCHIVES_QUEUE, message)
    assert (await flow.job(job)).state is State.CANCELLED
    assert await flow.catalog.require("admin", job.id) == before
    await _night(flow, days=8)
    names = [info.name async for info in flow.blobs.list("datasets/")]
    assert set(names) == {*before.blobs, before.records_blob}


async def test_a_job_that_is_cancelled_at_its_very_end_has_no_dataset_and_no_files(flow):
    job = await flow.send(SPEC)
    message = await _until_archived(flow)
    await _die_behind_the_catalog(flow, message)
    await flow.cancel(job)
    await flow.handle(ARCHIVES_QUEUE, message)
    assert await flow.catalog.get("admin", job.id) is None
    assert (await flow.catalog.page("admin")).items == []
    await flow.retry.run("admin", job.id)
    await flow.run()
    after = await flow.catalog.require("admin", job.id)
    assert (after.revision, (await flow.catalog.page("admin")).items) == (2, [after])
    await _night(flow, days=8)
    names = [info.name async for info in flow.blobs.list("datasets/")]
    assert set(names) == {*after.blobs, after.records_blob}


async def test_a_dataset_is_taken_back_only_as_long_as_no_later_one_is_recorded(flow):
    job = await _run_troubled(flow)
    first = await flow.catalog.require("admin", job.id)
    apply = flow.entities.apply
    overtaken = []

    async def apply_late(table, partition, changes):
        if not overtaken:
            overtaken.append(True)
            await flow.catalog.put(replace(first, revision=2))
        return await apply(table, partition, changes)

    flow.entities.apply = apply_late
    await flow.catalog.undo("admin", job.id, 1, None)
    assert (await flow.catalog.require("admin", job.id)).revision == 2


async def test_a_retry_that_is_asked_for_again_is_the_same_one(flow):
    job = await _run_troubled(flow)
    flow.worker.reject = lambda _: None
    asked = await asyncio.gather(*(flow.retry.run("admin", job.id) for _ in range(4)))
    assert {found.revision for found in asked} == {2}
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    assert (await flow.retry.run("admin", job.id)).revision == 2
    await flow.run(times=2)
    assert len(flow.worker.fetched) == len(set(flow.worker.fetched)) == 40
    assert (await flow.job(job)).revision == 2


async def test_what_cannot_be_retried_says_why(flow):
    running = await flow.send(SPEC)
    with pytest.raises(Conflict, match="is queued"):
        await flow.retry.run("admin", running.id)
    with pytest.raises(NotFound):
        await flow.retry.run("admin", "none")
    await flow.intake.job_message("m", "no job at all", flow.deadline())
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


async def test_a_cancelled_job_goes_on_where_it_was(flow):
    job = await flow.send(SPEC)
    flow.worker.reject = lambda _: None
    flow.worker.stuck_at = 47
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    for number, text in enumerate(flow.queues.take(CHUNKS_QUEUE)):
        if number == 2:
            flow.worker.before = lambda: flow.cancel(job)
        await flow.handle(CHUNKS_QUEUE, text)
    await flow.run()
    assert flow.worker.fetched == list(range(47))
    flow.worker.stuck_at = -1
    await flow.retry.run("admin", job.id)
    await flow.run()
    assert sorted(flow.worker.fetched) == list(range(TOTAL))
    assert (await flow.delivered(job)) == dict.fromkeys(range(TOTAL), "kept")


async def test_a_job_cancelled_before_its_discovery_ended_discovers_on(flow):
    job = await flow.send(SPEC)
    flow.clock.tick = 200.0
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    await flow.cancel(job)
    await flow.run()
    assert (await flow.ledger.progress(job.id)).found < TOTAL
    flow.clock.tick = 0.0
    await flow.retry.run("admin", job.id)
    await flow.run()
    assert (await flow.delivered(job)).keys() == set(range(TOTAL))
    assert len(flow.worker.fetched) == TOTAL


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
        await flow.intake.poisoned_archive("m", waiting[0])
        flow.queues.take(ARCHIVES_QUEUE)
    assert (await flow.job(job)).failure.code == "archive_crashed"
    flow.worker.reject = lambda _: Reason.TIMED_OUT
    flow.worker.fetched.clear()
    await flow.retry.run("admin", job.id)
    await flow.intake.poisoned_archive("m", waiting[0])  # it comes late, and fails no later revision
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    assert sorted(flow.worker.fetched) == list(range(9, TOTAL, 10))
    assert (await flow.catalog.require("admin", job.id)).image_count == 180


async def test_a_retry_looks_through_its_records_in_slices(flow):
    job = await _run_troubled(flow, {**SPEC, "sources": [{"type": "fake", "total": 400}]})
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
    job = await _run_troubled(flow)
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
    job = await _run_troubled(flow, {**SPEC, "webhook_url": "https://hooks.example/x"})
    for _ in range(2):
        await flow.retry.run("admin", job.id)
        await flow.run(times=2)
    bodies = [json.loads(request.body) for request in flow.web.sent]
    assert [(body["revision"], body["event"]) for body in bodies] == [
        (1, "job.completed"),
        (2, "job.completed"),
        (3, "job.completed"),
    ]
    assert (await flow.job(job)).webhook.state == "delivered"


async def test_a_straggler_of_an_earlier_revision_changes_nothing(flow):
    job = await flow.send(SPEC)
    while not flow.queues.take(ARCHIVES_QUEUE):
        for queue, text in flow.take():
            await flow.handle(queue, text)
    stale = await flow.job(job)
    assert stale.state is State.ARCHIVING
    await flow.cancel(job)
    await flow.retry.run("admin", job.id)
    ended = await flow.transitions.end(stale, State.COMPLETED)
    assert (ended.state, ended.revision) == (State.QUEUED, 2)
    await flow.run()
    dataset = await flow.catalog.require("admin", job.id)
    assert dataset.revision == 2
    late = replace(dataset, revision=1, image_count=1)
    await flow.catalog.put(late)
    await flow.catalog.undo("admin", job.id, 1, None)
    assert await flow.catalog.require("admin", job.id) == dataset


async def test_a_retry_goes_on_where_the_cancelled_discovery_saves_for_the_last_time(flow):
    job = await flow.send(SPEC)
    saving, may_save = asyncio.Event(), asyncio.Event()
    put, query = flow.blobs.put, flow.entities.query

    async def slow_put(name, *rest, **options):
        if "/candidates/" in name and not saving.is_set():
            saving.set()
            await may_save.wait()
        await put(name, *rest, **options)

    async def late_query(table, partition, *, after="", before=""):
        if after.startswith("chunk-"):  # the retry has read where discovery stands
            may_save.set()
            await cancelled
        async for found in query(table, partition, after=after, before=before):
            yield found

    flow.blobs.put = slow_put
    [(queue, text)] = flow.take()
    cancelled = asyncio.create_task(flow.handle(queue, text))
    await saving.wait()
    await flow.cancel(job)
    await flow.retry.run("admin", job.id)
    flow.entities.query = late_query
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    assert sorted(flow.worker.fetched) == list(range(TOTAL))


async def test_a_job_of_thousands_of_long_labels_ends_and_is_retried(roomy):
    roomy.worker.reject = _troubled
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
