"""A refresh asks the sources again, and takes over what the dataset has."""

import asyncio
import gzip
import json
import random
import threading

import pytest

from shared.datasets.dataset import Dataset
from shared.errors import Conflict, Damaged, NotFound
from shared.jobs.discovery import take_over
from shared.jobs.job.messages import JOBS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.submission.refresh import WantedRefresh
from shared.records.blob_names import dataset_spec_blob, revision_prefix
from shared.records.delivered import DIFF, RECORDS
from shared.records.records import Reason
from shared.users.caller import UNMARKED, CallMark
from tests.unit.jobs.troubled import night

SPEC = {
    "name": "pets",
    "labels": {"cat": ["cat"], "dog": ["dog"]},
    "sources": [{"type": "fake", "total": 60, "page": 10}],
    "dedup": {"near_distance": None},
}
WANTED = WantedRefresh(UNMARKED)
NOTHING = {"added": 0, "changed": 0, "gone": 0, "opted_out": 0, "dropped": 0}


def _lines(data):
    return [json.loads(line) for line in gzip.decompress(data).splitlines()]


async def _made(flow):
    """Makes a dataset in which every tenth candidate is no image."""
    flow.worker.reject = lambda index: Reason.NOT_AN_IMAGE if index % 10 == 9 else None
    job = await flow.send(SPEC)
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    flow.worker.fetched.clear()
    return job


async def _refreshed(flow, job, wanted=WANTED, times=1):
    """Refreshes the dataset; returns it, and the lines of the diff."""
    await flow.refresh.run("admin", job.id, wanted)
    await flow.run(times=times)
    found = await flow.job(job)
    assert found.state is State.COMPLETED, found.failure
    dataset = await flow.catalog.require("admin", job.id)
    return dataset, _lines(await flow.blobs.get(f"{revision_prefix(job.id, dataset.revision)}{DIFF}"))


async def _records(flow, job, revision):
    lines = _lines(await flow.blobs.get(f"{revision_prefix(job.id, revision)}{RECORDS}"))
    return {line["index"]: line for line in lines}


async def test_an_unchanged_source_costs_no_fetch_and_changes_nothing(flow):
    job = await _made(flow)
    before, earlier = await flow.catalog.require("admin", job.id), await _records(flow, job, 1)
    after, diff = await _refreshed(flow, job)
    assert flow.worker.fetched == []
    assert (after.revision, after.base_revision) == (2, 1)
    assert after.diff == {**NOTHING, "unchanged": before.image_count}
    assert diff == []
    assert (after.image_count, after.splits, after.counts) == (
        before.image_count,
        before.splits,
        before.counts,
    )
    records = await _records(flow, job, 2)
    same = ("url", "outcome", "reason", "split", "file", "sha256", "label")
    assert {index: [line.get(name) for name in same] for index, line in records.items()} == {
        index: [line.get(name) for name in same] for index, line in earlier.items()
    }
    progress = await flow.ledger.progress(job.id)
    assert (progress.found, progress.tally.kept) == (120, 108)


async def test_the_diff_names_what_was_added_is_gone_and_was_opted_out(flow):
    job = await _made(flow)
    before = await _records(flow, job, 1)
    flow.source.added = {"cat": 3}
    flow.source.removed = {"http://x/cat/5", "http://x/dog/9"}
    flow.worker.opted_out = {"http://x/dog/7"}
    after, diff = await _refreshed(flow, job)
    assert sorted(flow.worker.fetched) == [120, 121, 122]
    assert after.diff == {**NOTHING, "added": 3, "gone": 1, "opted_out": 1, "unchanged": 106}
    assert {(line["change"], line["url"], line["outcome"]) for line in diff} == {
        *(("added", f"http://x/cat/{number}", "kept") for number in (60, 61, 62)),
        ("gone", "http://x/cat/5", "kept"),
        ("opted_out", "http://x/dog/7", "rejected"),
    }
    records = await _records(flow, job, 2)
    stays = [index for index, line in records.items() if line["outcome"] == "kept" and index < 120]
    assert {index: (records[index]["split"], records[index]["file"]) for index in stays} == {
        index: (before[index]["split"], before[index]["file"]) for index in stays
    }


async def test_copies_still_name_the_image_that_was_preferred(flow):
    earlier = await _made(flow)
    sources = [{"type": "fake", "total": 70, "page": 10}]
    job = await flow.send(SPEC | {"sources": sources, "dedup": {"against": [earlier.id]}})
    await flow.run()
    same = ("reason", "same_as", "same_as_dataset")
    before = {
        index: [line.get(name) for name in same] for index, line in (await _records(flow, job, 1)).items()
    }
    assert ["duplicate", 0, earlier.id] in before.values()
    for revision in (2, 3):
        await _refreshed(flow, job)
        after = await _records(flow, job, revision)
        assert {index: [line.get(name) for name in same] for index, line in after.items()} == before


async def test_a_large_spec_is_decoded_in_a_thread(flow, monkeypatch):
    job = await _made(flow)
    name, decode, in_loop = dataset_spec_blob(job.id, 1), flow.specs.decode, list[bool]()

    def decode_and_note(data, **options):
        in_loop.append(threading.current_thread() is threading.main_thread())
        return decode(data, **options)

    monkeypatch.setattr(flow.specs, "decode", decode_and_note)
    await flow.blobs.put(name, await flow.blobs.get(name) + b" " * 200_000)
    await flow.refresh.run("admin", job.id, WANTED)
    assert in_loop == [False]


async def test_a_damaged_spec_of_a_dataset_is_named(flow):
    job = await _made(flow)
    await flow.blobs.put(dataset_spec_blob(job.id, 1), b"{")
    with pytest.raises(Damaged, match="Damaged in storage: the dataset's spec"):
        await flow.refresh.run("admin", job.id, WANTED)
    assert (await flow.job(job)).state is State.COMPLETED


async def test_images_that_are_gone_leave_the_dataset_if_that_is_asked_for(flow):
    job = await _made(flow)
    flow.source.removed = {"http://x/cat/5"}
    after, diff = await _refreshed(flow, job, WantedRefresh(UNMARKED, remove_gone=True))
    assert after.image_count == 107
    assert [(line["change"], line["url"], line["outcome"]) for line in diff] == [
        ("gone", "http://x/cat/5", "rejected")
    ]


async def test_nothing_is_gone_if_the_source_has_failed(flow):
    job = await _made(flow)
    flow.source.errors = [NotFound("the service is gone")] * 2
    after, diff = await _refreshed(flow, job)
    assert (diff, after.image_count) == ([], 108)


async def test_a_dataset_is_refreshed_after_its_working_files_are_deleted(flow):
    job = await _made(flow)
    await night(flow, days=8)
    assert [info.name async for info in flow.blobs.list("work/")] == []
    flow.source.added = {"dog": 1}
    after, _ = await _refreshed(flow, job)
    assert (after.revision, after.image_count, len(flow.worker.fetched)) == (2, 109, 1)
    await night(flow, days=8)
    again, _ = await _refreshed(flow, job)
    assert (again.revision, again.base_revision, again.image_count) == (3, 2, 109)
    assert again.diff == {**NOTHING, "unchanged": 109}


async def test_messages_that_come_twice_make_the_same_revision(flow):
    job = await _made(flow)
    flow.source.added = {"cat": 3}
    after, diff = await _refreshed(flow, job, times=2)
    assert (after.revision, after.image_count, len(diff)) == (2, 111, 3)
    assert len(flow.worker.fetched) == 3


async def test_candidates_that_failed_for_a_transient_reason_are_tried_again(flow):
    flow.worker.reject = lambda index: Reason.TIMED_OUT if index == 4 else None
    job = await flow.send(SPEC)
    await flow.run()
    flow.worker.fetched.clear()
    after, diff = await _refreshed(flow, job)
    assert len(flow.worker.fetched) == 1
    assert (after.image_count, [line["change"] for line in diff]) == (120, ["added"])


async def test_calls_at_the_same_time_begin_one_refresh(flow):
    job = await _made(flow)
    calls = await asyncio.gather(
        *(flow.refresh.run("admin", job.id, WANTED) for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(call).__name__ for call in calls) == ["Conflict"] * 3 + ["Refreshed"]
    assert (await flow.job(job)).revision == 2


async def test_a_repeated_call_answers_the_same_refresh(flow):
    job = await _made(flow)
    wanted = WantedRefresh(CallMark("key", "values"))
    assert not (await flow.refresh.run("admin", job.id, wanted)).replayed
    assert (await flow.refresh.run("admin", job.id, wanted)).replayed
    await flow.run()
    again = await flow.refresh.run("admin", job.id, wanted)
    assert (again.replayed, again.job.revision, again.job.state) == (True, 2, State.COMPLETED)
    with pytest.raises(Conflict, match="another body"):
        await flow.refresh.run("admin", job.id, WantedRefresh(CallMark("key", "others"), remove_gone=True))


async def test_a_cancelled_refresh_leaves_the_dataset_and_can_be_retried(flow):
    job = await _made(flow)
    before = await flow.catalog.require("admin", job.id)
    flow.source.added = {"cat": 3}
    await flow.refresh.run("admin", job.id, WANTED)
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    await flow.cancel(job)
    recorded = await flow.catalog.require("admin", job.id)
    assert (recorded.revision, recorded.blobs) == (1, before.blobs)
    with pytest.raises(Conflict, match="retry it first"):
        await flow.refresh.run("admin", job.id, WANTED)
    await flow.retry.run("admin", job.id)
    await flow.run()
    after = await flow.catalog.require("admin", job.id)
    assert (after.revision, after.base_revision, after.image_count) == (3, 1, 111)
    assert after.diff == {**NOTHING, "added": 3, "unchanged": 108}


async def test_the_dataset_of_another_user_is_not_found(flow):
    job = await _made(flow)
    with pytest.raises(NotFound):
        await flow.refresh.run("somebody", job.id, WANTED)


@pytest.mark.parametrize("seed", range(6))
async def test_a_refresh_ends_in_the_same_way_wherever_runs_die(flow, seed):
    job = await _made(flow)
    flow.source.added, flow.source.removed = {"cat": 30}, {"http://x/dog/3"}
    flow.worker.opted_out = {"http://x/dog/7"}
    await flow.refresh.run("admin", job.id, WANTED)
    await flow.storm(random.Random(seed), copies=True, deaths=True, at_once=3)
    await flow.run()
    found = await flow.job(job)
    assert (found.state, found.revision) == (State.COMPLETED, 2), found.failure
    dataset = await flow.catalog.require("admin", job.id)
    assert dataset.diff == {**NOTHING, "added": 27, "gone": 1, "opted_out": 1, "unchanged": 106}
    progress = await flow.ledger.progress(job.id)
    assert (progress.found, progress.tally.kept) == (150, 107 + 27)
    assert await flow.blobs.info(dataset.blobs[0]) is not None


async def test_a_refresh_starts_from_the_revision_that_is_the_last_when_it_begins(flow, monkeypatch):
    job = await _made(flow)
    flow.source.added = {"cat": 3}
    await flow.refresh.run("admin", job.id, WANTED)
    require = flow.catalog.require
    late: list[Dataset] = []

    async def require_slowly(user_id, dataset_id):
        dataset = await require(user_id, dataset_id)
        if not late:
            # the refresh that is under way completes just after the dataset was read
            late.append(dataset)
            await flow.run()
        return dataset

    monkeypatch.setattr(flow.catalog, "require", require_slowly)
    await flow.refresh.run("admin", job.id, WANTED)
    await flow.run()
    after = await flow.catalog.require("admin", job.id)
    assert (late[0].revision, after.revision, after.base_revision, after.image_count) == (1, 3, 2, 111)
    assert after.diff == {**NOTHING, "unchanged": 111}


async def test_known_candidates_with_much_text_make_smaller_chunks(flow, monkeypatch):
    job = await _made(flow)
    earlier = [chunk.id async for chunk in flow.ledger.chunks(job.id)]
    monkeypatch.setattr(take_over, "CHUNK_CHARACTERS", 5 * len("http://x/cat/10"))
    after, _ = await _refreshed(flow, job)
    sizes = [chunk.count async for chunk in flow.ledger.chunks(job.id) if chunk.id not in earlier]
    assert after.diff == {**NOTHING, "unchanged": 108}
    assert (sum(sizes), max(sizes)) == (120, 6)
