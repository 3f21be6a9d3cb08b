"""The nightly run over the lists that users have stored: it deletes those that nobody needs."""

import pytest

from shared.clock import Deadline
from shared.errors import Damaged
from shared.jobs.submission import uploaded_lists
from shared.jobs.submission.uploaded_list import ListLimits, NewList
from shared.jobs.submission.uploaded_lists import UploadedLists
from shared.storage.entities import Entity, Put
from shared.telemetry.recording import RecordingTelemetry
from tests.unit.in_memory import runtime_of
from tests.unit.known_sources import SPECS

DATA = b"url\nhttps://example.org/1.jpg\n"
CSV = NewList("birds", "csv", DATA)
BY_LINK = NewList("birds", "csv.gz", None)


def spec_of(*blobs):
    return SPECS.parse({"sources": [{"type": "urls", "blob": blob} for blob in blobs]})


def deadline(clock):
    return Deadline.after(clock, 60)


async def test_a_list_that_is_too_large_is_deleted_by_night_though_its_owner_never_reads_it(
    lists, storage, clock, monkeypatch
):
    monkeypatch.setattr(uploaded_lists, "MOST_BYTES", 10)
    blob = (await lists.add("ann", BY_LINK)).found.blob("ann")
    await storage.blobs.put(blob, bytes(11))
    assert await lists.delete_unused(deadline(clock)) == 1
    assert await storage.blobs.info(blob) is None
    assert (await lists.page("ann")).items == []


async def test_lists_are_deleted_when_no_spec_has_named_them_for_long(lists, storage, clock):
    used, unused = await lists.add("ann", CSV), await lists.add("ann", CSV)
    await storage.blobs.put("inputs/ann/own.csv", DATA)
    clock.advance(29 * 86_400)
    await storage.blobs.put("inputs/ann/uploaded/of-nobody.csv", DATA)
    await lists.note_use("ann", spec_of(used.found.blob("ann")))
    # a link has stored it after its list was deleted
    assert await lists.delete_unused(deadline(clock)) == 1
    clock.advance(2 * 86_400)
    assert await lists.delete_unused(deadline(clock)) == 1
    assert [each.id for each in (await lists.page("ann")).items] == [used.found.id]
    names = [info.name async for info in storage.blobs.list("inputs/")]
    assert sorted(names) == sorted(["inputs/ann/own.csv", used.found.blob("ann")])
    assert await storage.blobs.info(unused.found.blob("ann")) is None
    clock.advance(31 * 86_400)
    assert await lists.delete_unused(Deadline.after(clock, -1)) == 0
    assert await lists.delete_unused(deadline(clock)) == 1


async def test_damaged_data_of_a_user_does_not_stop_the_nightly_run(storage, clock):
    telemetry = RecordingTelemetry()
    limits = ListLimits(lists=3, bytes=1000, unused_days=30)
    lists = UploadedLists(storage, runtime_of(clock, telemetry), limits)
    await lists.add("ann", CSV)
    bobs = (await lists.add("bob", CSV)).found
    await storage.entities.apply("lists", "ann", [Put(Entity("ann", "lists", {"json": b"no lists"}))])
    with pytest.raises(Damaged, match="your lists"):
        await lists.page("ann")
    clock.advance(31 * 86_400)
    assert await lists.delete_unused(deadline(clock)) == 1
    assert await storage.blobs.info(bobs.blob("bob")) is None
    assert len(telemetry.named("Damaged")) == 1


async def test_the_nightly_run_reads_no_rows_of_lists_that_are_neither_new_nor_old(lists, storage, clock):
    await lists.add("ann", CSV)
    clock.advance(3 * 86_400)
    await storage.entities.apply("lists", "ann", [Put(Entity("ann", "lists", {"json": b"no lists"}))])
    assert await lists.delete_unused(deadline(clock)) == 0
