"""Jobs and datasets are gone for their user at once, and in storage when no run can write for them any more."""

from dataclasses import replace

import pytest

from shared.announcements import Announcement
from shared.errors import AlreadyExists, Conflict, NotFound
from shared.jobs.job.job import Job
from shared.jobs.job.messages import LIFECYCLE_QUEUE, WEBHOOKS_QUEUE
from shared.jobs.job.states import State
from tests.expect import present
from tests.unit.lifecycle.deleting import ANN, HOUR, SPEC, Store

BOB = "0000000000000b0b"


@pytest.fixture
async def store() -> Store:
    store = Store()
    await store.add_user()
    return store


async def test_a_job_is_gone_at_once_and_nothing_is_left_of_it_an_hour_after_its_end(store: Store) -> None:
    await store.add_job("old")
    assert await store.app.deletion.delete_job(ANN, "old", keeps_dataset=False) is not None
    jobs, catalog = store.app.job_data.jobs, store.app.catalog
    assert (await jobs.get(ANN, "old"), await catalog.get(ANN, "old")) == (None, None)
    assert [*(await jobs.page(ANN)).items, *(await catalog.page(ANN)).items] == []
    await store.work()
    assert await store.names() == []
    assert store.rows("old") != []
    # a run that is still at work
    await store.blobs.put("work/job_old/shards/2", b"x")
    await store.blobs.put("datasets/job_old/r3/dataset.zip", b"x")
    assert store.queues.delays[-1] == HOUR
    store.clock.advance(HOUR)
    await store.finish()
    assert (await store.names(), store.rows("old")) == ([], [])


async def test_a_dataset_is_kept_unless_its_deletion_is_asked_for(store: Store) -> None:
    await store.add_job("old")
    await store.app.deletion.delete_job(ANN, "old", keeps_dataset=True)
    assert await store.app.job_data.jobs.get(ANN, "old") is None
    await store.finish()
    assert await store.names() == ["datasets/job_old/r2/dataset.zip", "datasets/job_old/r2/records.jsonl.gz"]
    await store.app.catalog.require(ANN, "old")
    assert {table for table, _, _ in store.rows("old")} == {"datasets"}
    await store.app.deletion.delete_dataset(ANN, "old")
    await store.finish()
    assert (await store.names(), store.rows("old")) == ([], [])


async def test_events_of_a_dataset_whose_job_was_deleted_before_are_deleted_with_it(store: Store) -> None:
    await store.add_job("old")
    await store.app.deletion.delete_job(ANN, "old", keeps_dataset=True)
    await store.finish()
    hook = "https://example.org/hook?token=secret"
    event = Announcement(ANN, "old", "dataset.rehydrated", "1", store.clock.now(), hook, {})
    await store.app.deliveries.announce(event)
    store.queues.take(WEBHOOKS_QUEUE)
    await store.app.deletion.delete_dataset(ANN, "old")
    await store.finish()
    assert [row for row in store.rows("old") if row[1] != "~due"] == []


async def test_a_call_for_the_dataset_counts_after_one_that_kept_it(store: Store) -> None:
    await store.add_job("old")
    for keeps_dataset in (True, False, True):
        await store.app.deletion.delete_job(ANN, "old", keeps_dataset=keeps_dataset)
    assert await store.app.catalog.get(ANN, "old") is None
    await store.finish()
    assert (await store.names(), store.rows("old")) == ([], [])


async def test_the_job_of_a_deleted_dataset_stays_and_cannot_be_retried(store: Store) -> None:
    await store.add_job("old")
    await store.app.deletion.delete_dataset(ANN, "old")
    assert await store.app.catalog.get(ANN, "old") is None
    with pytest.raises(Conflict):
        await store.app.retry.run(ANN, "old")
    await store.finish()
    job = await store.app.job_data.jobs.require(ANN, "old")
    assert job.state is State.COMPLETED
    assert await store.names() == []
    assert await store.app.catalog.owner("old") is None
    with pytest.raises(Conflict, match="working files are deleted"):
        await store.app.retry.run(ANN, "old")


@pytest.mark.parametrize("state", [state for state in State if not state.terminal])
async def test_a_job_that_runs_is_refused_and_so_is_its_dataset(store: Store, state: State) -> None:
    await store.add_job("old", state)
    await store.add_dataset("old")
    with pytest.raises(Conflict, match="cancel it before"):
        await store.app.deletion.delete_job(ANN, "old", keeps_dataset=False)
    with pytest.raises(Conflict, match="cancel it before"):
        await store.app.deletion.delete_dataset(ANN, "old")
    await store.app.catalog.require(ANN, "old")
    assert present(await store.app.job_data.jobs.get(ANN, "old")).state is state
    assert store.queues.sent[LIFECYCLE_QUEUE] == []


async def test_a_dataset_under_legal_hold_is_refused_and_so_is_its_job(store: Store) -> None:
    await store.add_job("old")
    await store.hold("old")
    before = await store.names(), store.rows("old")
    for keeps_dataset in (True, False):
        with pytest.raises(Conflict, match="legal hold"):
            await store.app.deletion.delete_job(ANN, "old", keeps_dataset=keeps_dataset)
    with pytest.raises(Conflict, match="legal hold"):
        await store.app.deletion.delete_dataset(ANN, "old")
    assert (await store.names(), store.rows("old")) == before
    await store.hold("old", legal_hold=False)
    await store.app.deletion.delete_dataset(ANN, "old")


async def test_a_job_without_files_is_deleted_at_once(store: Store) -> None:
    """A refused message makes a failed job, which has no files, under an id that somebody else may have."""
    await store.add_job("old", user_id=BOB)
    before = await store.names()
    now = store.clock.now()
    await store.app.job_data.jobs.create_ended(Job("old", ANN, "", State.FAILED, now, now))
    assert await store.app.deletion.delete_job(ANN, "old", keeps_dataset=False) is None
    with pytest.raises(NotFound):
        await store.app.deletion.delete_job(ANN, "old", keeps_dataset=False)
    await store.finish()
    assert await store.names() == before
    await store.app.catalog.require(BOB, "old")


async def test_what_belongs_to_another_user_is_not_found(store: Store) -> None:
    await store.add_job("old", user_id=BOB)
    with pytest.raises(NotFound):
        await store.app.deletion.delete_job(ANN, "old", keeps_dataset=False)
    with pytest.raises(NotFound):
        await store.app.deletion.delete_dataset(ANN, "old")
    assert store.queues.sent[LIFECYCLE_QUEUE] == []


@pytest.mark.parametrize("user_id", [ANN, BOB])
async def test_an_id_is_given_again_only_when_nothing_is_left_of_it(store: Store, user_id: str) -> None:
    await store.add_job("old")
    await store.app.deletion.delete_job(ANN, "old", keeps_dataset=False)
    new = Job("old", user_id, "new", State.QUEUED, store.clock.now(), store.clock.now())
    for _ in range(2):
        with pytest.raises(AlreadyExists):
            await store.app.job_data.jobs.create(new, SPEC)
        await store.work()
    assert await store.names() == []
    store.clock.advance(HOUR)
    await store.finish()
    await store.app.job_data.jobs.create(new, SPEC)
    await store.app.deletion.handle(store.task("old"), store.deadline())
    assert await store.names() == ["work/job_old/spec.json"]


async def test_a_dataset_that_a_late_run_records_is_deleted_with_its_job(store: Store) -> None:
    await store.add_job("old", State.CANCELLED)
    await store.app.deletion.delete_job(ANN, "old", keeps_dataset=True)
    await store.work()
    await store.add_dataset("old")
    await store.finish()
    assert (await store.names(), store.rows("old")) == ([], [])


async def test_the_reservation_and_the_slot_of_a_deleted_job_are_given_back(store: Store) -> None:
    job = (await store.app.submit.accept(store.submission())).job
    assert (await store.app.usage.look_up(ANN, store.clock.now())).jobs_open == 1
    await store.app.transitions.begin(job)
    # the run that ended the job died before it gave back what the job held
    ended = await store.app.job_data.jobs.require(ANN, job.id)
    await store.app.job_data.jobs.save(ended.moved(State.CANCELLED, store.clock.now()))
    await store.app.deletion.delete_job(ANN, job.id, keeps_dataset=False)
    assert (await store.app.usage.look_up(ANN, store.clock.now())).jobs_open == 0
    await store.finish()
    assert store.rows(job.id) == []


async def test_the_key_of_a_deleted_job_makes_a_new_job_of_the_same_id(store: Store) -> None:
    submission = replace(store.submission(), key="k")
    job = await store.app.submit.run(submission)
    await store.app.transitions.cancel(job)
    await store.app.deletion.delete_job(ANN, job.id, keeps_dataset=False)
    with pytest.raises(Conflict, match="still being deleted"):
        await store.app.submit.run(submission)
    await store.finish()
    again = await store.app.submit.run(submission)
    assert (again.id, again.state) == (job.id, State.QUEUED)
    assert again.created_at > job.created_at


async def test_a_lost_task_is_sent_again_in_the_night(store: Store) -> None:
    await store.add_job("old")
    await store.app.deletion.delete_job(ANN, "old", keeps_dataset=False)
    store.queues.take(LIFECYCLE_QUEUE)
    await store.app.deletion.resume(store.deadline())
    assert store.queues.take(LIFECYCLE_QUEUE) == []
    store.clock.advance(3 * HOUR)
    await store.app.deletion.resume(store.deadline())
    await store.finish()
    assert (await store.names(), store.rows("old")) == ([], [])
