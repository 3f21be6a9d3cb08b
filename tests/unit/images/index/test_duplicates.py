"""Copies that were left out of a dataset are found with the image that was preferred, and their bytes while stored."""

import gzip
import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Conflict, NotFound
from shared.images.index.duplicates import CopyGroup
from shared.jobs.submission.refresh import WantedRefresh
from shared.records.records import Reason
from shared.users.caller import UNMARKED
from tests.unit.functions.http.http_calls import Caller, memory_app
from tests.unit.jobs import fake_worker
from tests.unit.jobs.simulation import Flow

HASHES = 7
SPEC = {
    "labels": {"a": ["a"], "b": ["b"]},
    "sources": [{"type": "fake", "total": 90, "page": 7}],
    "max_images_per_label": 60,
    "dedup": {"near_distance": 0},
}


@pytest.fixture
def flow(monkeypatch):
    made = fake_worker._facts

    def alike(data):
        """Makes one of seven pictures, and one of twenty the same file."""
        number = sum(data)
        facts = made(data)
        digest = facts.sha256 if number % 20 else "0" * 64
        return replace(facts, sha256=digest, perceptual_hash=f"{1 << (number % HASHES):016x}")

    monkeypatch.setattr(fake_worker, "_facts", alike)
    flow = Flow()
    # chunks have rests, which lie between other chunks in the records
    flow.worker.budget = 13
    return flow


@pytest.fixture
def app(flow):
    app = memory_app()
    vars(app).update(blobs=flow.blobs, entities=flow.entities, clock=flow.clock)
    return app


async def _lines(flow):
    dataset = await flow.catalog.require("admin", "job1")
    data = gzip.decompress(await flow.blobs.get(dataset.records_blob))
    return {line["index"]: line for line in map(json.loads, data.splitlines())}


async def _groups(app, size, reason=""):
    groups: list[CopyGroup] = []
    place = None
    for _ in range(300):
        page = await app.duplicates.page("admin", "job1", reason, place, size)
        assert sum(len(group.copies) for group in page.groups) <= size
        for group in page.groups:
            if groups and groups[-1].same_as == group.same_as:
                before = groups.pop()
                groups.append(replace(before, copies=[*before.copies, *group.copies]))
            else:
                groups.append(group)
        place = page.following
        if place is None:
            return groups
    raise AssertionError("the pages do not end")


def _image_of(lines, line):
    """Returns the index of the image at which the chain of copies ends."""
    while "same_as" in line:
        line = lines[line["same_as"]]
    assert line["outcome"] == "kept"
    return line["index"]


async def _run(flow, *, retry=False):
    job = await flow.send(SPEC)
    await flow.run()
    if retry:
        flow.worker.reject = lambda _: None
        await flow.retry.run("admin", job.id)
        await flow.run()
    return job


@pytest.mark.parametrize("retry", [False, True])
@pytest.mark.parametrize("size", [1, 7, 500])
async def test_pages_of_every_size_have_each_copy_once_with_the_image_it_is_a_copy_of(flow, app, size, retry):
    await _run(flow, retry=retry)
    lines = await _lines(flow)
    expected = {index: _image_of(lines, line) for index, line in lines.items() if "same_as" in line}
    groups = await _groups(app, size)
    found = {copy.line["index"]: group.same_as for group in groups for copy in group.copies}
    assert found == expected
    assert len(expected) > 50
    assert {line["reason"] for line in lines.values() if "same_as" in line} == {"duplicate", "near_duplicate"}
    assert [group.count for group in groups] == sorted((len(group.copies) for group in groups), reverse=True)
    for group in groups:
        assert group.image is not None
        assert group.image.facts.index == group.same_as
        for copy in group.copies:
            assert copy.line == lines[copy.line["index"]]


@pytest.mark.parametrize("retry", [False, True])
async def test_the_bytes_of_a_copy_are_those_that_were_fetched_for_its_address(flow, app, retry):
    job = await _run(flow, retry=retry)
    for group in await _groups(app, 500):
        for copy in group.copies:
            assert copy.image is not None
            assert copy.image.facts.index == copy.line["index"]
            stored = copy.image.stored
            data = await flow.blobs.get(stored.blob, offset=stored.offset, length=stored.size)
            assert data.decode() == copy.line["url"]
            assert await app.job_images.find(await flow.job(job), copy.image.id) == copy.image


async def test_pages_have_only_copies_of_the_reason_that_is_wanted(flow, app):
    await _run(flow)
    for reason in (Reason.DUPLICATE, Reason.NEAR_DUPLICATE):
        copies = [copy for group in await _groups(app, 5, reason) for copy in group.copies]
        assert copies
        assert {copy.line["reason"] for copy in copies} == {reason}


async def test_copies_are_named_without_their_images_once_the_working_blobs_are_deleted(flow, app):
    await _run(flow)
    flow.clock.advance(timedelta(days=9).total_seconds())
    await flow.clear_work()
    groups = await _groups(app, 500)
    assert groups
    assert {copy.image for group in groups for copy in group.copies} == {None}
    assert all(group.image is not None for group in groups)


async def test_after_a_refresh_only_new_copies_have_their_bytes(flow, app, monkeypatch):
    alike = fake_worker._facts

    def facts(data):
        return replace(alike(data), sha256=hashlib.sha256(data).hexdigest())

    monkeypatch.setattr(fake_worker, "_facts", facts)
    await _run(flow)
    before = {copy.line["index"] for group in await _groups(app, 500) for copy in group.copies}
    flow.source.added = {"a": 5}
    await flow.refresh.run("admin", "job1", WantedRefresh(UNMARKED))
    await flow.run()
    copies = {copy.line["index"]: copy for group in await _groups(app, 500) for copy in group.copies}
    new = copies.keys() - before
    assert before <= copies.keys()
    assert new
    assert {index for index, copy in copies.items() if copy.image is not None} == new


async def test_an_image_of_an_earlier_dataset_is_named_with_its_dataset(flow, app):
    await _run(flow)
    flow.worker.reject = lambda _: None
    again = {
        **SPEC,
        "labels": {"a": ["a"], "c": ["c"]},
        "dedup": {"near_distance": None, "against": ["job1"]},
    }
    job = await flow.send(again)
    await flow.run()
    page = await app.duplicates.page("admin", job.id, "", None, 50)
    elsewhere = [group for group in page.groups if group.dataset]
    assert elsewhere
    assert {(group.dataset, group.image) for group in elsewhere} == {("job1", None)}


async def test_over_http_copies_come_in_groups_with_links_and_only_for_their_owner(flow, app, monkeypatch):
    from functions.http import endpoint

    monkeypatch.setattr(endpoint, "app", lambda: app)
    caller = Caller(app)
    await _run(flow)
    path = "datasets/job1/duplicates"
    first = await caller.get(path, "limit=3&reason=near_duplicate")
    assert first.status == 200, first.body
    [group, *_] = first.body["items"]
    [copy, *_] = group["copies"]
    assert group["image"]["links"]["image"].startswith("/api/v1/datasets/job1/images/r1-")
    assert copy["image"]["links"]["small"].startswith("/api/v1/jobs/job1/images/c")
    assert (copy["reason"], copy["image"]["index"]) == ("near_duplicate", copy["index"])
    following = first.body["next"].partition("?")[2]
    assert "reason=near_duplicate" in following
    assert (await caller.get(path, following)).status == 200
    for query in ("limit=51", "reason=too_small", "cursor=x", "cursor=YzowMDAwMDE6MA"):
        assert (await caller.get(path, query)).status == 400
    assert (await caller.get("datasets/other/duplicates")).status == 404
    with pytest.raises(NotFound):
        await app.duplicates.page("ann", "job1", "", None, 5)
    place = (await app.duplicates.page("admin", "job1", "", None, 5)).following
    with pytest.raises(Conflict):
        await app.duplicates.page("admin", "job1", "", replace(place, revision=2), 5)
