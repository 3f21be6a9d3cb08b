"""The steps of a job make no call of storage that they do not need."""

import pytest

from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission
from tests.unit.jobs.simulation import Flow

SPEC = {"keywords": ["a"], "sources": [{"type": "fake", "total": 20}], "dedup": {"near_distance": None}}


@pytest.fixture
def flow() -> Flow:
    """A flow in which no step reads only to see whether the job has ended."""
    return Flow(watch_seconds=1000)


async def _calls(flow, work):
    flow.weather.calls.clear()
    await work
    return dict(flow.weather.calls)


async def _until_archived(flow):
    """Handles the first messages of one job; returns those of its discovery, its chunk and its archive."""
    [discovery] = flow.queues.take(JOBS_QUEUE)
    await flow.handle(JOBS_QUEUE, discovery)
    [chunk] = flow.queues.take(CHUNKS_QUEUE)
    await flow.handle(CHUNKS_QUEUE, chunk)
    [archive] = flow.queues.take(ARCHIVES_QUEUE)
    return discovery, chunk, archive


async def test_a_job_with_a_random_id_is_stored_without_a_look_for_another_one(flow):
    # the spec; the index row and the job; the message
    assert await _calls(flow, flow.send(SPEC)) == {"put": 1, "apply": 2, "send": 1}


async def test_a_job_with_a_key_is_looked_for_in_all_places(flow):
    submission = Submission("admin", flow.specs.parse(SPEC), key="k")
    looks = {"get": 2, "list": 1}
    assert await _calls(flow, flow.submit.run(submission)) == {**looks, "put": 1, "apply": 2, "send": 1}


async def test_the_first_run_of_discovery_reads_the_job_its_spec_and_its_slots(flow):
    await flow.send(SPEC)
    [message] = flow.queues.take(JOBS_QUEUE)
    made = await _calls(flow, flow.handle(JOBS_QUEUE, message))
    # the slots, and the progress at the end; the slot, two states of the job, and one chunk
    assert made == {"get": 2, "query": 2, "apply": 4, "put": 1, "send": 1}
    assert [chunk.id async for chunk in flow.ledger.chunks("job1")] == ["000001"]


async def test_the_only_chunk_is_counted_and_the_archive_started_with_few_reads(flow):
    await flow.send(SPEC)
    [message] = flow.queues.take(JOBS_QUEUE)
    await flow.handle(JOBS_QUEUE, message)
    [chunk] = flow.queues.take(CHUNKS_QUEUE)
    made = await _calls(flow, flow.handle(CHUNKS_QUEUE, chunk))
    # the job, the chunk, the spec and the candidates, and the state of discovery; the progress once;
    # the shard and the records; the chunk with its lane, the job, and that the archive's message is sent
    assert made == {"get": 5, "query": 1, "put": 2, "apply": 3, "send": 1}
    assert (await flow.jobs.require("admin", "job1")).state is State.ARCHIVING


async def test_the_end_of_a_job_is_written_and_its_slot_freed_with_few_reads(flow):
    job = await flow.send(SPEC)
    await _until_archived(flow)
    made = await _calls(flow, flow.transitions.complete(await flow.job(job), 1))
    # the index row; the slots, and who waits; the job, the index row and the slot
    assert made == {"get": 1, "query": 2, "apply": 3}
    assert [work.finished_at is not None async for work in flow.jobs.works()] == [True]


async def test_the_archive_of_one_part_is_made_and_the_job_ended_with_few_reads(flow):
    await flow.send(SPEC)
    *_, archive = await _until_archived(flow)
    made = await _calls(flow, flow.handle(ARCHIVES_QUEUE, archive))
    assert (await flow.jobs.require("admin", "job1")).state is State.COMPLETED
    assert made["get"] == 11
