"""If files of an earlier dataset are gone or damaged, jobs that need them fail soon, with an error that names them."""

import gzip
import json
from dataclasses import replace

import pytest

from shared.errors import Damaged
from shared.jobs.job.messages import ARCHIVES_QUEUE
from shared.jobs.job.states import State
from shared.records.delivered import read_delivered
from shared.records.records import Reason

SOURCE = {"type": "fake", "total": 30}
FAKE = {"keywords": ["a"], "sources": [SOURCE], "dedup": {"near_distance": None}}


def _line(**changes):
    row = {"index": 0, "label": "a", "url": "http://x/1", "outcome": "kept", "source": "fake"}
    row |= {"sha256": "0" * 64, "perceptual_hash": "0" * 16, "blob": "dataset.zip", "size_bytes": 3}
    return json.dumps(row | changes).encode() + b"\n"


DAMAGES = {
    "cut short": lambda data: data[: len(data) // 2],
    "cut by a byte": lambda data: data[:-1],
    "flipped": lambda data: data[:200] + bytes(8) + data[208:],
    "empty": lambda _: b"",
    "garbage": lambda _: bytes(range(256)),
    "text": lambda _: b"<html>no such thing</html>",
    "no object": lambda _: gzip.compress(b"[]\n"),
    "another shape": lambda _: gzip.compress(b'{"some": "thing"}\n'),
    "half a line": lambda data: data + gzip.compress(b'{"index": 1'),
    "a bad member behind": lambda data: data + b"garbage",
    "half a member behind": lambda data: data + gzip.compress(b"{}\n")[:12],
    "an index that is a text": lambda _: gzip.compress(_line(index="x")),
}
damages = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)


async def _earlier(flow, damage):
    """Makes a dataset whose records are damaged."""
    flow.worker.reject = lambda _: None
    job = await flow.send(FAKE)
    await flow.run()
    dataset = await flow.catalog.require("admin", job.id)
    records = await flow.blobs.get(dataset.records_blob)
    await flow.blobs.put(dataset.records_blob, damage(records))
    return job


@damages
async def test_a_source_dataset_whose_records_are_damaged_fails_the_job_and_says_so(flow, damage):
    earlier = await _earlier(flow, damage)
    job = await flow.send({"sources": [{"type": "dataset", "id": earlier.id}]})
    await flow.run(times=2)
    found = await flow.job(job)
    assert (found.state, found.failure.code) == (State.FAILED, "discovery_failed")
    assert f"Damaged in storage: the records of dataset {earlier.id}" in found.failure.detail


@damages
async def test_other_sources_go_on_beside_a_damaged_dataset_which_is_a_problem(flow, damage):
    earlier = await _earlier(flow, damage)
    job = await flow.send({**FAKE, "sources": [{"type": "dataset", "id": earlier.id}, SOURCE]})
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    problems = (await flow.ledger.report(job.id)).problems
    assert [f"Damaged in storage: the records of dataset {earlier.id}" in line for line in problems] == [True]


HASHES = {
    "a hash of letters": lambda _: gzip.compress(_line(perceptual_hash="xyz")),
    "a hash of 65 bits": lambda _: gzip.compress(_line(perceptual_hash="1" + "0" * 16)),
    "a negative hash": lambda _: gzip.compress(_line(perceptual_hash="-1")),
    "a short sha256": lambda _: gzip.compress(_line(sha256="00")),
    "an odd sha256": lambda _: gzip.compress(_line(sha256="0" * 63)),
    "an index of 65 bits": lambda _: gzip.compress(_line(index=1 << 64)),
}


@pytest.mark.parametrize("damage", [*DAMAGES.values(), *HASHES.values()], ids=[*DAMAGES, *HASHES])
async def test_a_dataset_to_deduplicate_against_whose_records_are_damaged_fails_the_job(flow, damage):
    earlier = await _earlier(flow, damage)
    job = await flow.send({**FAKE, "dedup": {"near_distance": None, "against": [earlier.id]}})
    await flow.run(times=2)
    found = await flow.job(job)
    assert (found.state, found.failure.code) == (State.FAILED, "damaged")
    assert found.failure.detail.startswith(f"Damaged in storage: the records of dataset {earlier.id}")


@damages
async def test_a_damaged_dataset_fails_the_retry_that_looks_for_moved_images_in_it(flow, damage):
    flow.worker.reject = lambda _: None
    earlier = await flow.send(FAKE)
    await flow.run()
    job = await flow.send({"sources": [{"type": "dataset", "id": earlier.id}]})
    flow.worker.reject = lambda index: Reason.TIMED_OUT if index == 3 else None
    await flow.run()
    flow.worker.reject = lambda _: None
    before = await flow.catalog.require("admin", earlier.id)
    moved = replace(before, revision=2, blobs=("datasets/job_x/r2/dataset.zip",))
    await flow.catalog.put(moved)
    await flow.blobs.put(before.records_blob, damage(await flow.blobs.get(before.records_blob)))
    await flow.retry.run("admin", job.id)
    await flow.run()
    found = await flow.job(job)
    assert (found.state, found.failure.code) == (State.FAILED, "damaged")
    assert f"the records of dataset {earlier.id}" in found.failure.detail


@damages
async def test_what_the_archive_started_from(flow, damage):
    job = await flow.send(FAKE)
    while not (waiting := flow.queues.take(ARCHIVES_QUEUE)):
        for queue, text in flow.take():
            await flow.handle(queue, text)
    put = flow.catalog.put

    async def dying(dataset):
        await put(dataset)
        raise Damaged("as if it died here")

    flow.catalog.put = dying
    fail, flow.transitions.fail_damaged = flow.transitions.fail_damaged, _nothing
    await flow.handle(ARCHIVES_QUEUE, waiting[0])
    flow.catalog.put, flow.transitions.fail_damaged = put, fail
    name = f"work/job_{job.id}/archive/r1/start.json"
    before = await flow.blobs.get(name)
    after = damage(before)
    await flow.blobs.put(name, after if after != before else b"{}")
    for text in waiting:
        await flow.handle(ARCHIVES_QUEUE, text)
    found = await flow.job(job)
    assert (found.state, found.failure.detail) == (
        State.FAILED,
        "Damaged in storage: what the archive started from.",
    )
    assert await flow.catalog.get("admin", job.id) is None  # it is taken back


async def _nothing(*_):
    pass


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
async def test_whole_records_are_read_in_pieces_of_any_size(size):
    data = b"".join(gzip.compress(b"".join(_line(index=at) for at in range(20))) for _ in range(3))
    data += gzip.compress(b"")

    async def pieces():
        for at in range(0, len(data), size):
            yield data[at : at + size]

    rows = [row.index async for row in read_delivered(pieces(), "x")]
    assert rows == list(range(20)) * 3
