"""If any of a job's own files is gone or damaged, the job fails soon and once, and the error names the file."""

import gzip
import json
import zlib
from dataclasses import replace

import pytest

from shared.archiving.planning.planner import PlanConfig
from shared.errors import Conflict, Damaged
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.ledger.chunks import Addition
from shared.jobs.submission.submit import Submission
from shared.records.records import Reason
from tests.unit.jobs.simulation import Flow

SPEC = {"keywords": ["a", "b"], "sources": [{"type": "fake"}], "dedup": {"near_distance": None}}


def _flipped(data):
    """Returns the data with all bits of some bytes in the middle flipped."""
    middle = len(data) // 2
    return data[:middle] + bytes(byte ^ 0xFF for byte in data[middle : middle + 8]) + data[middle + 8 :]


DAMAGES = {
    "cut short": lambda data: data[: len(data) // 2],
    "cut by a byte": lambda data: data[:-1],
    "flipped": _flipped,
    "empty": lambda _: b"",
    "garbage": lambda _: bytes(range(256)),
    "text": lambda _: b"<html>no such thing</html>",
    "another shape": lambda _: gzip.compress(b'{"some": "thing"}\n'),
    "no list": lambda _: gzip.compress(b"[]\n"),
    "half a line": lambda _: gzip.compress(b'{"index": 1'),
    "packed json": lambda _: zlib.compress(b'{"chunks": "many"}'),
    "null": lambda _: b"null",
    "gone": None,
}
PLAN = PlanConfig(part_bytes=8192, block_bytes=2048)
damages = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)


async def _damage(flow, part, damage):
    """Damages all blobs whose names contain the part. There is at least one."""
    names = [info.name async for info in flow.blobs.list("") if part in info.name]
    assert names
    for name in names:
        if damage is None:
            await flow.blobs.delete(name)
        else:
            before = await flow.blobs.get(name)
            after = damage(before)
            assert after != before
            await flow.blobs.put(name, after)


async def _until(flow, queue):
    """Handles messages up to those of this queue, and returns these."""
    while not (waiting := flow.queues.take(queue)):
        for other, text in flow.take():
            await flow.handle(other, text)
    return waiting


async def _check_failed(flow, job, what, code="damaged"):
    """Checks that all waiting messages are handled without a crash, and that the job failed because of the damage."""
    await flow.run(times=2)
    found = await flow.job(job)
    assert found.state is State.FAILED, found
    assert (found.failure.code, what in found.failure.detail) == (code, True), found.failure
    assert Reason.CRASHED not in (await flow.ledger.progress(job.id)).tally.rejections
    flow.clock.advance(10_000)
    assert await flow.watchdog.run(flow.deadline()) == 0


def _put_back(flow, queue, texts):
    for text in texts:
        flow.put_back(queue, text)


@damages
async def test_candidates(flow, damage):
    job = await flow.send(SPEC)
    waiting = await _until(flow, CHUNKS_QUEUE)
    await _damage(flow, "/candidates/000002", damage)
    _put_back(flow, CHUNKS_QUEUE, waiting)
    await _check_failed(flow, job, "the candidates of chunk 000002")


async def test_candidates_that_are_fewer_than_they_were(flow):
    job = await flow.send(SPEC)
    waiting = await _until(flow, CHUNKS_QUEUE)
    await _damage(flow, "/candidates/000002", lambda data: gzip.compress(gzip.decompress(data)[:0]))
    _put_back(flow, CHUNKS_QUEUE, waiting)
    await _check_failed(flow, job, "the candidates of chunk 000002")


@damages
async def test_candidates_of_a_chunk_that_turned_to_poison(flow, damage):
    job = await flow.send(SPEC)
    first = (await _until(flow, CHUNKS_QUEUE))[0]
    await _damage(flow, "/candidates/000001", damage)
    await flow.intake.handle_poisoned_chunk(first)
    await _check_failed(flow, job, "the candidates of chunk 000001")


@damages
@pytest.mark.parametrize("queue", [JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE])
async def test_the_spec(flow, damage, queue):
    job = await flow.send(SPEC)
    waiting = await _until(flow, queue)
    await _damage(flow, "/spec.json", damage)
    _put_back(flow, queue, waiting)
    await _check_failed(flow, job, "the job's spec")


async def test_the_webhook_of_a_job_without_its_spec_fails_with_that_reason(flow):
    job = await flow.send({**SPEC, "webhook_url": "https://hooks.example/x"})
    waiting = await _until(flow, CHUNKS_QUEUE)
    await _damage(flow, "/spec.json", None)
    _put_back(flow, CHUNKS_QUEUE, waiting)
    await _check_failed(flow, job, "the job's spec")
    found = await flow.delivery(job)
    assert (found.state, found.attempts) == ("failed", ())
    assert flow.web.sent == []


@damages
async def test_a_damaged_spec_is_no_other_submissions_crash(flow, damage):
    asked = Submission("admin", flow.specs.parse(SPEC), key="k")
    job = await flow.submit.run(asked)
    await _damage(flow, "/spec.json", damage)
    if damage is None:  # as if it were cleared
        assert (await flow.submit.run(asked)).id == job.id
        return
    with pytest.raises(Conflict):
        await flow.submit.run(asked)
    await flow.intake.handle_job("m1", json.dumps({**SPEC, "job_id": job.id}), flow.deadline())
    refused = await flow.keys.find("admin", "m1")
    assert (refused.requested_id, refused.state) == (job.id, State.FAILED)


@damages
async def test_records_of_a_chunk_that_died_behind_them(flow, damage):
    job = await flow.send(SPEC)
    first, *others = await _until(flow, CHUNKS_QUEUE)
    finish = flow.ledger.finish

    async def dying(*_):
        raise Damaged("as if it died here")

    flow.ledger.finish = dying
    flow.transitions.fail_damaged, fail = _nothing, flow.transitions.fail_damaged
    await flow.handle(CHUNKS_QUEUE, first)
    flow.ledger.finish, flow.transitions.fail_damaged = finish, fail
    if damage is None:  # then nothing is committed, and it is crawled again
        await _damage(flow, "/records/000001", damage)
        _put_back(flow, CHUNKS_QUEUE, [first, *others])
        await flow.run()
        assert (await flow.job(job)).state is State.COMPLETED
        return
    await _damage(flow, "/records/000001", damage)
    _put_back(flow, CHUNKS_QUEUE, [first, *others])
    await _check_failed(flow, job, "the records of chunk 000001")


async def _nothing(*_):
    pass


async def test_records_of_other_candidates(flow):
    job = await flow.send(SPEC)
    waiting = await _until(flow, CHUNKS_QUEUE)
    await flow.handle(CHUNKS_QUEUE, waiting[0])
    other = await flow.blobs.get(f"work/job_{job.id}/records/000001.jsonl.gz")
    await flow.blobs.put(f"work/job_{job.id}/records/000002.jsonl.gz", other)
    flow._handled.update(waiting)  # they come again
    _put_back(flow, CHUNKS_QUEUE, waiting[1:])
    await _check_failed(flow, job, "the records of chunk 000002")


@damages
@pytest.mark.parametrize("output", ["zip", "webdataset"])
async def test_records_in_the_archive(flow, damage, output):
    job = await flow.send({**SPEC, "output": {"format": output}})
    waiting = await _until(flow, ARCHIVES_QUEUE)
    await _damage(flow, "/records/000003", damage)
    _put_back(flow, ARCHIVES_QUEUE, waiting)
    await _check_failed(flow, job, "the records of chunk 000003")


@damages
async def test_records_in_a_retry(flow, damage):
    job = await flow.send(SPEC)
    await flow.run()
    await _damage(flow, "/records/000004", damage)
    await flow.retry.run("admin", job.id)
    await _check_failed(flow, job, "the records of chunk 000004")
    assert (await flow.catalog.require("admin", job.id)).revision == 1


@damages
async def test_the_addresses_that_were_seen(flow, damage):
    flow.clock.tick = 150.0
    job = await flow.send(SPEC)
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    flow.clock.tick = 0.0
    await _damage(flow, "/seen/", damage)
    await _check_failed(flow, job, "the addresses that the job has found")


@damages
@pytest.mark.parametrize("in_a_blob", [False, True])
async def test_the_state_of_discovery(flow, damage, in_a_blob, monkeypatch):
    if in_a_blob:
        monkeypatch.setattr("shared.jobs.ledger.discovery._MAX_CELL_BYTES", 10)
    flow.clock.tick = 150.0
    job = await flow.send(SPEC)
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    flow.clock.tick = 0.0
    if in_a_blob:
        await _damage(flow, "/discovery/", damage)
    else:
        row = await flow.ledger.discovery(job.id)
        state = damage(row.state) if damage else b"blob:work/no/such/blob"
        await flow.ledger.add(job.id, Addition(), replace(row, state=state or b"x"), flow.clock.now())
    await _check_failed(flow, job, "the state of the job's discovery")
    progress, report = await flow.ledger.progress(job.id), await flow.ledger.report(job.id)
    assert not await flow.retry.is_possible(await flow.job(job), progress, report)
    with pytest.raises(Conflict, match="the state of the job's discovery"):
        await flow.retry.run("admin", job.id)


@damages
async def test_the_plan_of_the_archive(damage):
    flow = Flow(archives=PLAN)
    job = await flow.send(SPEC)
    [begin] = await _until(flow, ARCHIVES_QUEUE)
    await flow.handle(ARCHIVES_QUEUE, begin)
    parts = flow.queues.take(ARCHIVES_QUEUE)
    assert len(parts) > 1
    await _damage(flow, "/plan.npz", damage)
    _put_back(flow, ARCHIVES_QUEUE, [*parts, begin] if damage is None else parts)
    if damage is None:  # it can be made again
        await flow.run()
        assert (await flow.job(job)).state is State.COMPLETED
        return
    await _check_failed(flow, job, "the plan of the archive")


@damages
@pytest.mark.parametrize(
    ("part", "what"),
    [("/shards/000002", "the images of chunk 000002"), ("/texts", "the texts of the dataset")],
)
async def test_what_the_archive_is_made_of(damage, part, what):
    flow = Flow(archives=PLAN)
    job = await flow.send(SPEC)
    [begin] = await _until(flow, ARCHIVES_QUEUE)
    await flow.handle(ARCHIVES_QUEUE, begin)
    await _damage(flow, part, damage)
    await _check_failed(flow, job, what)
    assert await flow.catalog.get("admin", job.id) is None
