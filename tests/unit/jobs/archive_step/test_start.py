"""What an archive starts from is the same in each run, and a first run makes no call to look for it."""

import pytest

from shared.archiving.order import EarlierDataset
from shared.errors import Permanent
from shared.jobs.archive_step.start import ArchiveStarts
from shared.jobs.job.states import State

FAKE = {"keywords": ["a"], "sources": [{"type": "fake", "total": 30}], "dedup": {"near_distance": None}}


@pytest.fixture
async def earlier(flow):
    flow.worker.reject = lambda _: None
    job = await flow.send(FAKE)
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    return await flow.catalog.require("admin", job.id)


@pytest.fixture
async def begun(flow, earlier):
    body = {**FAKE, "dedup": {"near_distance": None, "against": [earlier.id]}}
    return await flow.send(body), flow.specs.parse(body)


async def test_a_later_run_gets_what_the_first_one_stored_though_the_dataset_is_deleted(flow, earlier, begun):
    starts = ArchiveStarts(flow.blobs, flow.catalog)
    first = await starts.begin(*begun)
    assert first.earlier == (EarlierDataset(earlier.id, earlier.records_blob),)
    await flow.catalog.begin_deletion("admin", earlier.id, flow.clock.now())
    assert await starts.begin(*begun) == first


async def test_a_first_run_without_the_dataset_ends_and_stores_nothing(flow, earlier, begun):
    starts = ArchiveStarts(flow.blobs, flow.catalog)
    await flow.catalog.begin_deletion("admin", earlier.id, flow.clock.now())
    with pytest.raises(Permanent, match=f"There is no dataset {earlier.id}"):
        await starts.begin(*begun)
    assert await starts.stored(begun[0]) is None


async def test_a_first_run_reads_the_datasets_to_deduplicate_against_and_nothing_else(
    flow, earlier, begun, monkeypatch
):
    get, read = flow.catalog.get, list[str]()

    async def get_and_note(user_id, dataset_id, **changes):
        read.append(dataset_id)
        return await get(user_id, dataset_id, **changes)

    async def get_blob(name, **_):
        read.append(name)

    monkeypatch.setattr(flow.catalog, "get", get_and_note)
    monkeypatch.setattr(flow.blobs, "get", get_blob)
    await ArchiveStarts(flow.blobs, flow.catalog).begin(*begun)
    assert read == [earlier.id]
