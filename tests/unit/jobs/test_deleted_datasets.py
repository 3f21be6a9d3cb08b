"""A job that uses a dataset which is deleted meanwhile says so, wherever it was."""

from shared.jobs.job.messages import ARCHIVES_QUEUE
from shared.jobs.job.states import State
from shared.records.blob_names import dataset_prefix

SOURCE = {"type": "fake", "total": 30}
FAKE = {"keywords": ["a"], "sources": [SOURCE], "dedup": {"near_distance": None}}


async def _earlier(flow):
    flow.worker.reject = lambda _: None
    job = await flow.send(FAKE)
    await flow.run()
    return job


async def _delete(flow, dataset_id):
    await flow.catalog.begin_deletion("admin", dataset_id, flow.clock.now())
    async for info in flow.blobs.list(dataset_prefix(dataset_id)):
        await flow.blobs.delete(info.name)


async def test_a_job_whose_only_source_is_deleted_fails(flow):
    earlier = await _earlier(flow)
    job = await flow.send({"sources": [{"type": "dataset", "id": earlier.id}]})
    await _delete(flow, earlier.id)
    await flow.run()
    found = await flow.job(job)
    assert (found.state, found.failure.code) == (State.FAILED, "discovery_failed")
    assert f"The records of the dataset {earlier.id} are gone." in found.failure.detail


async def test_other_sources_go_on_and_the_deleted_one_is_a_problem(flow):
    earlier = await _earlier(flow)
    job = await flow.send({**FAKE, "sources": [{"type": "dataset", "id": earlier.id}, SOURCE]})
    await _delete(flow, earlier.id)
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    [problem] = (await flow.ledger.report(job.id)).problems
    assert f"The records of the dataset {earlier.id} are gone." in problem


async def test_a_job_that_deduplicates_against_a_deleted_dataset_fails(flow):
    earlier = await _earlier(flow)
    job = await flow.send({**FAKE, "dedup": {"near_distance": None, "against": [earlier.id]}})
    await _delete(flow, earlier.id)
    await flow.run()
    found = await flow.job(job)
    assert (found.state, found.failure.code) == (State.FAILED, "archive_failed")
    assert found.failure.detail == f"There is no dataset {earlier.id} to deduplicate against."


async def test_a_job_that_has_begun_to_deduplicate_against_a_deleted_dataset_fails(flow):
    earlier = await _earlier(flow)
    spec = flow.specs.parse({**FAKE, "dedup": {"near_distance": None, "against": [earlier.id]}})
    job = await flow.send({**FAKE, "dedup": {"near_distance": None, "against": [earlier.id]}})
    while not (waiting := flow.queues.take(ARCHIVES_QUEUE)):
        for queue, text in flow.take():
            await flow.handle(queue, text)
    await flow.archive._starts.begin(await flow.job(job), spec)
    await _delete(flow, earlier.id)
    for text in waiting:
        await flow.handle(ARCHIVES_QUEUE, text)
    found = await flow.job(job)
    assert (found.state, found.failure.code) == (State.FAILED, "archive_failed")
    assert found.failure.detail == f"The records of dataset {earlier.id} are gone."
