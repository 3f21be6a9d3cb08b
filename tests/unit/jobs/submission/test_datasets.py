"""Datasets made from datasets: divided again, merged or deduplicated, without fetching images."""

import gzip
import io
import json
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.fetching.fetch import Fetcher
from shared.crawling.fetching.fetch_config import FetchConfig
from shared.crawling.worker import ChunkWorker, WorkerConfig
from shared.errors import InvalidRequest, Unavailable
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission
from shared.storage.blobs import Tier
from shared.web.http.aiohttp_client import AiohttpWebClient
from shared.web.http.session import SessionConfig, Sessions
from shared.web.wishes.host_wishes import HostWishes
from tests.expect import present
from tests.unit.in_memory import runtime_of
from tests.unit.jobs.simulation import Flow
from tests.unit.known_sources import parse_spec


@pytest.fixture
async def flow():
    """A flow with the app's own worker, which reaches nothing but storage."""
    sessions = Sessions(SessionConfig("test"))
    budget = ByteBudget(8_000_000)
    web = AiohttpWebClient(sessions)
    fetcher = Fetcher(sessions, HostWishes.over(web), budget, FetchConfig())
    flow = Flow()
    worker = ChunkWorker(fetcher, budget, flow.blobs, runtime_of(), WorkerConfig(8, 2))
    flow.crawl._worker = worker
    yield flow
    await worker.close()
    await sessions.close()


def _picture(number):
    rng = np.random.default_rng(number)
    coarse = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(coarse).resize((96 + number, 80), Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


async def _dataset(flow, job_id, numbers):
    """Makes a dataset of stored pictures, as a producer does, and deletes its working blobs."""
    names = []
    for number in numbers:
        names.append(f"inputs/{'even' if number % 2 == 0 else 'odd'}/{number}.png")
        await flow.blobs.put(names[-1], _picture(number))
    await flow.handle(ARCHIVES_QUEUE, json.dumps({"job_id": job_id, "images": names}))
    await flow.run()
    dataset = await flow.catalog.require("admin", job_id)
    for prefix in (f"work/job_{job_id}/", "inputs/"):
        for name in [info.name async for info in flow.blobs.list(prefix)]:
            await flow.blobs.delete(name)
    return dataset


async def _made(flow, spec):
    job = await flow.send(spec)
    await flow.run()
    found = await flow.job(job)
    assert found.state is State.COMPLETED, found
    return await flow.catalog.require("admin", job.id)


async def _pictures(flow, dataset):
    """Returns the pictures of a dataset by label."""
    found: dict[str, set[bytes]] = {}
    lines = gzip.decompress(await flow.blobs.get(dataset.records_blob)).splitlines()
    folder = dataset.records_blob.rpartition("/")[0]
    for row in map(json.loads, lines):
        if row["outcome"] == "kept":
            name = f"{folder}/{row['blob']}"
            data = await flow.blobs.get(name, offset=row["offset"], length=row["size_bytes"])
            found.setdefault(row["label"], set()).add(data)
    return found


async def test_a_dataset_is_cut_anew_from_its_archive(flow):
    before = await _dataset(flow, "first", range(40))
    spec = {
        "sources": [{"type": "dataset", "id": "first"}],
        "splits": {"train": 0.5, "test": 0.5},
        "output": {"format": "webdataset"},
        "dedup": {"near_distance": None},
    }
    after = await _made(flow, spec)
    assert await _pictures(flow, after) == await _pictures(flow, before)
    assert after.splits == {"train": 20, "test": 20}
    assert [name.rpartition("/")[2] for name in after.blobs if name.endswith(".tar")] == [
        "train-00001.tar",
        "test-00001.tar",
    ]
    saved = {file.name for file in (await flow.downloads.download("admin", after.id)).files}
    sums = (await flow.blobs.get(next(name for name in after.blobs if "SHA256SUMS" in name))).decode()
    assert {line.split()[1] for line in sums.splitlines()} == saved - {"SHA256SUMS"}
    card = (await flow.blobs.get(next(name for name in after.blobs if "README.md" in name))).decode()
    assert "- made of the datasets: first\n" in card
    again = await _made(
        flow, {"sources": [{"type": "dataset", "id": after.id}], "dedup": {"near_distance": None}}
    )
    assert await _pictures(flow, again) == await _pictures(flow, before)
    with tarfile.open(fileobj=io.BytesIO(await flow.blobs.get(after.blobs[0]))) as archive:
        told = json.loads(present(archive.extractfile(archive.getnames()[1])).read())
    assert told["url"].startswith("blob:inputs/")


async def test_filters_and_transforms_apply_to_what_is_stored(flow):
    await _dataset(flow, "first", range(40))
    spec = {
        "sources": [{"type": "dataset", "id": "first"}],
        "filters": {"min_width": 116},
        "transform": {"resize": {"mode": "fit", "size": 32}, "format": "jpeg"},
        "dedup": {"near_distance": None},
    }
    dataset = await _made(flow, spec)
    assert dataset.image_count == 20
    with zipfile.ZipFile(io.BytesIO(await flow.blobs.get(dataset.blobs[0]))) as archive:
        images = [name for name in archive.namelist() if name.endswith(".jpg")]
        assert len(images) == 20
        assert max(Image.open(archive.open(images[0])).size) == 32
        card = archive.read("README.md").decode()
    assert "- Images were changed: scaled down to fit into 32 by 32 pixels, re-encoded as JPEG" in card


async def test_datasets_are_merged_without_what_they_share(flow):
    await _dataset(flow, "a", range(20))
    await _dataset(flow, "b", range(10, 30))
    sources = [{"type": "dataset", "id": "a"}, {"type": "dataset", "id": "b"}]
    dataset = await _made(flow, {"sources": sources, "dedup": {"near_distance": None}})
    found = await _pictures(flow, dataset)
    assert found == {
        "even": {_picture(number) for number in range(0, 30, 2)},
        "odd": {_picture(number) for number in range(1, 30, 2)},
    }


async def test_merged_datasets_keep_what_differs_though_it_has_one_address(flow):
    for job_id, first in (("old", 0), ("new", 100)):
        names = [f"inputs/cat/{number}.png" for number in range(5)]
        for number, name in enumerate(names):
            await flow.blobs.put(name, _picture(first + number if number else 0))  # one is the same in both
        await flow.handle(ARCHIVES_QUEUE, json.dumps({"job_id": job_id, "images": names}))
        await flow.run()
    sources = [{"type": "dataset", "id": "old"}, {"type": "dataset", "id": "new"}]
    dataset = await _made(flow, {"sources": sources, "dedup": {"near_distance": None}})
    expected = {_picture(number) for number in (0, 1, 2, 3, 4, 101, 102, 103, 104)}
    assert await _pictures(flow, dataset) == {"cat": expected}
    assert dataset.counts == {"cat": {"kept": 9, "duplicate": 1}}


async def test_what_earlier_datasets_have_is_left_out(flow):
    await _dataset(flow, "a", range(20))
    await _dataset(flow, "b", range(10, 30))
    spec = {
        "sources": [{"type": "dataset", "id": "b"}],
        "dedup": {"near_distance": None, "against": ["a"]},
    }
    dataset = await _made(flow, spec)
    assert await _pictures(flow, dataset) == {
        "even": {_picture(number) for number in range(20, 30, 2)},
        "odd": {_picture(number) for number in range(21, 30, 2)},
    }
    assert sum(counts.get("duplicate", 0) for counts in dataset.counts.values()) == 10


async def test_an_archive_that_begins_twice_leaves_out_the_same_though_the_earlier_dataset_changes(flow):
    flow.crawl._worker = flow.worker
    search = {"keywords": ["a"], "dedup": {"near_distance": None}}
    earlier = await flow.send({**search, "sources": [{"type": "fake", "total": 60}]})
    await flow.run()
    dedup = {"near_distance": None, "against": [earlier.id]}
    job = await flow.send({**search, "sources": [{"type": "fake", "total": 80}], "dedup": dedup})
    while not (waiting := flow.queues.take(ARCHIVES_QUEUE)):
        for queue, text in flow.take():
            await flow.handle(queue, text)
    put = flow.blobs.put

    async def dying_put(name, data, *rest, **options):
        await put(name, data, *rest, **options)
        if name.endswith("plan.npz"):
            raise Unavailable("it dies here")

    flow.blobs.put = dying_put
    with pytest.raises(Unavailable):
        await flow.handle(ARCHIVES_QUEUE, waiting[0])
    flow.blobs.put = put
    flow.worker.reject = lambda _: None
    await flow.retry.run("admin", earlier.id)
    await flow.run()
    assert (await flow.catalog.require("admin", earlier.id)).image_count == 60
    await flow.handle(ARCHIVES_QUEUE, waiting[0])
    dataset = await flow.catalog.require("admin", job.id)
    assert dataset.counts == {"a": {"kept": 18, "duplicate": 54, "timed_out": 8}}
    plans = [info.name async for info in flow.blobs.list(f"work/job_{job.id}/") if "plan.npz" in info.name]
    assert len(plans) == 1


async def _with_a_later_revision(flow, job_id, numbers, broken):
    """Makes a dataset that lacks one of its pictures; returns a function that makes the revision that has it."""
    names = [f"inputs/cat/{number}.png" for number in numbers]
    for number, name in zip(numbers, names, strict=True):
        await flow.blobs.put(name, _picture(number))
    info = flow.blobs.info

    async def broken_info(name):
        if name == names[broken]:
            raise ValueError("it breaks")
        return await info(name)

    flow.blobs.info = broken_info
    await flow.handle(ARCHIVES_QUEUE, json.dumps({"job_id": job_id, "images": names}))
    await flow.run()
    flow.blobs.info = info

    async def revise():
        await flow.retry.run("admin", job_id)
        await flow.run()
        assert (await flow.catalog.require("admin", job_id)).revision == 2

    return revise


@pytest.mark.parametrize("gone", [False, True])
async def test_a_dataset_is_cut_whole_though_the_earlier_one_is_retried_meanwhile(flow, gone):
    revise = await _with_a_later_revision(flow, "first", range(40), broken=7)
    before = await flow.catalog.require("admin", "first")
    expected = await _pictures(flow, before)
    sources = [{"type": "dataset", "id": "first"}]
    job = await flow.send({"sources": sources, "dedup": {"near_distance": None}})
    for queue, text in flow.take():
        await flow.handle(queue, text)
    chunk, *others = flow.queues.take(CHUNKS_QUEUE)
    await flow.handle(CHUNKS_QUEUE, chunk)
    await revise()
    if gone:
        for name in (*before.blobs, before.records_blob):
            await flow.blobs.delete(name)
    for text in others:
        await flow.handle(CHUNKS_QUEUE, text)
    await flow.run()
    if gone:
        assert (await flow.catalog.require("admin", job.id)).image_count < 39
        await flow.retry.run("admin", job.id)
        await flow.run()
    dataset = await flow.catalog.require("admin", job.id)
    assert await _pictures(flow, dataset) == expected
    assert dataset.counts == {"cat": {"kept": 39}}


async def test_only_the_callers_datasets_can_be_used(flow):
    await _dataset(flow, "mine", range(4))
    spec = parse_spec(
        {
            "sources": [{"type": "dataset", "id": "mine", "records_blob": "inputs/forged.gz"}],
            "dedup": {"against": ["mine"]},
        }
    )
    with pytest.raises(InvalidRequest) as refused:
        await flow.submit.run(Submission("somebody-else", spec))
    assert [item.field for item in refused.value.fields] == ["sources.0.id", "dedup.against.0"]
    job = await flow.submit.run(Submission("admin", spec))
    stored = await flow.jobs.spec(job.id)
    assert stored.sources[0].records_blob == "datasets/job_mine/records.jsonl.gz"


async def test_a_dataset_in_the_archive_tier_is_refused_with_the_reason(flow):
    dataset = await _dataset(flow, "cold", range(4))
    await flow.blobs.set_tier(dataset.blobs[0], Tier.ARCHIVE)
    job = await flow.send({"sources": [{"type": "dataset", "id": "cold"}]})
    await flow.run()
    found = await flow.job(job)
    assert found.state is State.FAILED
    assert "Archive tier" in found.failure.detail
