"""Lists that users store over the API: limits, repetition and use."""

import asyncio
from dataclasses import replace

import pytest

from shared.clock import Deadline
from shared.errors import Conflict, InvalidRequest, NotFound, QuotaExceeded
from shared.jobs.submission import uploaded_list, uploaded_lists
from shared.jobs.submission.uploaded_list import ListLimits, NewList, ending_of
from shared.jobs.submission.uploaded_lists import UploadedLists
from shared.storage.blobs import BlobAttributes, Tier
from tests.unit.in_memory import runtime_of
from tests.unit.known_sources import SPECS

DATA = b"url\nhttps://example.org/1.jpg\n"
CSV = NewList("birds", "csv", DATA)
BY_LINK = NewList("birds", "csv.gz", None)


@pytest.fixture
def small_lists(storage, clock):
    """Each user may have 100 bytes."""
    return UploadedLists(storage, runtime_of(clock), ListLimits(lists=3, bytes=100, unused_days=30))


def spec_of(*blobs):
    return SPECS.parse({"sources": [{"type": "urls", "blob": blob} for blob in blobs]})


def deadline(clock):
    return Deadline.after(clock, 60)


async def test_a_list_is_stored_under_its_owners_folder(lists, storage):
    added = await lists.add("ann", CSV)
    blob = added.found.blob("ann")
    assert blob.startswith("inputs/ann/uploaded/")
    assert blob.endswith(".csv")
    assert await storage.blobs.get(blob) == DATA
    found = await lists.require("ann", added.found.id)
    assert (found.is_stored, found.size_bytes, found.name) == (True, len(DATA), "birds")


async def test_a_link_is_for_a_list_that_is_not_there_yet(lists, storage):
    added = await lists.add("ann", BY_LINK)
    assert added.link is not None
    assert not added.found.is_stored
    blob = added.found.blob("ann")
    assert blob in added.link.url
    assert await storage.blobs.info(blob) is None
    await storage.blobs.put(blob, b"12345")
    found = await lists.require("ann", added.found.id)
    assert (found.is_stored, found.size_bytes) == (True, 5)


@pytest.mark.parametrize("new", [CSV, BY_LINK])
async def test_calls_with_one_key_make_one_list(lists, new):
    keyed = replace(new, key="k")
    first = await lists.add("ann", keyed)
    again = await lists.add("ann", keyed)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.found.id == first.found.id
    assert len((await lists.page("ann")).items) == 1
    assert (await lists.add("bob", keyed)).found.id != first.found.id


@pytest.mark.parametrize(
    "other", [replace(CSV, data=DATA + b"x"), replace(CSV, name="x"), replace(CSV, ending="tsv"), BY_LINK]
)
async def test_a_key_is_for_one_list(lists, other):
    await lists.add("ann", replace(CSV, key="k"))
    with pytest.raises(Conflict, match="another list"):
        await lists.add("ann", replace(other, key="k"))


async def test_a_repetition_stores_what_a_call_that_died_has_not(lists, storage):
    added = await lists.add("ann", replace(CSV, key="k"))
    await storage.blobs.delete(added.found.blob("ann"))
    assert (await lists.add("ann", replace(CSV, key="k"))).replayed
    assert await storage.blobs.get(added.found.blob("ann")) == DATA


async def test_calls_at_the_same_time_do_not_exceed_the_limit_together(lists):
    results = await asyncio.gather(*(lists.add("ann", BY_LINK) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(result, QuotaExceeded) for result in results) == 17
    assert len((await lists.page("ann")).items) == 3
    assert await lists.add("bob", BY_LINK)


async def test_the_bytes_of_all_lists_are_limited(small_lists):
    await small_lists.add("ann", replace(CSV, data=bytes(60)))
    with pytest.raises(
        QuotaExceeded, match="60 bytes, and this one 41; together they may have 100"
    ) as caught:
        await small_lists.add("ann", replace(CSV, data=bytes(41)))
    assert (caught.value.limit, caught.value.used) == (100, 60)
    await small_lists.add("ann", replace(CSV, data=bytes(40)))


async def test_what_came_over_a_link_counts_as_it_is(small_lists, storage):
    added = await small_lists.add("ann", BY_LINK)
    await storage.blobs.put(added.found.blob("ann"), bytes(90))
    with pytest.raises(QuotaExceeded):
        await small_lists.add("ann", CSV)
    await small_lists.add("ann", replace(CSV, data=bytes(10)))


async def test_links_that_are_not_used_yet_count_as_the_largest_lists(storage, clock):
    limits = ListLimits(lists=100, bytes=10_000_000_000, unused_days=30)
    lists = UploadedLists(storage, runtime_of(clock), limits)
    added = [await lists.add("ann", BY_LINK) for _ in range(5)]
    with pytest.raises(QuotaExceeded, match="10,000,000,000 bytes; together they may have 10,000,000,000"):
        await lists.add("ann", BY_LINK)
    await storage.blobs.put(added[0].found.blob("ann"), DATA)
    assert (await lists.add("ann", BY_LINK)).link is not None


async def test_links_of_deleted_lists_store_nothing_that_stays(lists, storage, clock):
    added = []
    for _ in range(3):
        added.append((await lists.add("ann", BY_LINK)).found)
        await lists.delete("ann", added[-1].id)
    with pytest.raises(QuotaExceeded, match=r"You have 3 lists; you may have 3\. Deleted lists count"):
        await lists.add("ann", BY_LINK)
    for late in added:
        await storage.blobs.put(late.blob("ann"), DATA)
    with pytest.raises(InvalidRequest, match="cannot be read"):
        await lists.check("ann", spec_of(added[0].blob("ann")))
    assert (await lists.page("ann")).items == []
    assert [info async for info in storage.blobs.list("inputs/")] == []
    for late in added:
        await storage.blobs.put(late.blob("ann"), DATA)
    assert await lists.delete_unused(deadline(clock)) == 3
    assert [info async for info in storage.blobs.list("inputs/")] == []
    clock.advance(86_400)
    await lists.add("ann", BY_LINK)
    row = await storage.entities.get("lists", "ann", "lists")
    assert len(uploaded_list.lists_in(row)) == 1


async def test_a_deleted_list_that_had_no_link_makes_room_at_once(lists):
    for _ in range(5):
        await lists.delete("ann", (await lists.add("ann", CSV)).found.id)
    assert (await lists.page("ann")).items == []


async def test_a_list_that_was_deleted_is_made_anew_by_the_same_call(lists):
    call = replace(BY_LINK, key="k")
    first = await lists.add("ann", call)
    await lists.delete("ann", first.found.id)
    again = await lists.add("ann", call)
    assert not again.replayed
    assert again.found.id != first.found.id


async def test_a_list_that_never_comes_gives_its_place_back(lists, clock):
    for _ in range(3):
        await lists.add("ann", BY_LINK)
    clock.advance(86_400)
    assert (await lists.page("ann")).items == []
    await lists.add("ann", CSV)


async def test_lists_are_paged_newest_first(lists, clock):
    ids: list[str] = []
    for _ in range(3):
        ids.insert(0, (await lists.add("ann", BY_LINK)).found.id)
        clock.advance(1)
    first = await lists.page("ann", size=2)
    second = await lists.page("ann", first.more_after, 2)
    assert [each.id for each in (*first.items, *second.items)] == ids
    assert second.more_after is None
    assert (await lists.page("bob")).items == []


async def test_a_deleted_list_is_gone_and_another_users_is_not_found(lists, storage):
    added = await lists.add("ann", CSV)
    with pytest.raises(NotFound):
        await lists.delete("bob", added.found.id)
    assert (await lists.delete("ann", added.found.id)).name == "birds"
    assert await storage.blobs.info(added.found.blob("ann")) is None
    with pytest.raises(NotFound):
        await lists.delete("ann", added.found.id)


async def test_a_spec_may_not_use_a_list_that_is_not_there(lists):
    stored, missing = await lists.add("ann", CSV), await lists.add("ann", BY_LINK)
    with pytest.raises(InvalidRequest) as caught:
        await lists.check("ann", spec_of(stored.found.blob("ann"), missing.found.blob("ann")))
    assert [error.field for error in caught.value.fields] == ["sources.1.blob"]
    await lists.check("ann", spec_of(stored.found.blob("ann"), "inputs/ann/own.csv"))


async def test_a_list_that_its_owner_has_put_into_the_archive_tier_is_refused_before_a_job_waits_for_it(
    lists, storage
):
    blob = (await lists.add("ann", BY_LINK)).found.blob("ann")
    await storage.blobs.put(blob, DATA, BlobAttributes("text/csv", tier=Tier.ARCHIVE))
    with pytest.raises(InvalidRequest) as caught:
        await lists.check("ann", spec_of(blob))
    assert caught.value.fields[0].message.startswith("was uploaded to the Archive tier")


async def test_a_list_that_is_too_large_is_refused_and_deleted(lists, storage, monkeypatch):
    monkeypatch.setattr(uploaded_lists, "MOST_BYTES", 10)
    added = await lists.add("ann", BY_LINK)
    blob = added.found.blob("ann")
    await storage.blobs.put(blob, bytes(11))
    with pytest.raises(InvalidRequest) as caught:
        await lists.check("ann", spec_of(blob))
    assert caught.value.fields[0].message == "has 11 bytes; it must have at most 10"
    assert (await lists.page("ann")).items == []
    assert await storage.blobs.info(blob) is None
    assert (await lists.page("ann")).items == []


async def test_a_use_is_written_once_a_day(lists, storage, clock):
    added = await lists.add("ann", CSV)
    spec = spec_of(added.found.blob("ann"))
    await lists.note_use("ann", spec)
    before = await storage.entities.get("lists", "ann", "lists")
    clock.advance(3600)
    await lists.note_use("ann", spec)
    assert await storage.entities.get("lists", "ann", "lists") == before
    clock.advance(90_000)
    await lists.note_use("admin", spec)
    assert (await lists.require("ann", added.found.id)).used_at == clock.now()


async def test_nobody_prolongs_the_lists_of_others(lists):
    added = await lists.add("ann", CSV)
    await lists.note_use("bob", spec_of(added.found.blob("ann")))
    assert (await lists.require("ann", added.found.id)).used_at is None


async def test_a_users_row_is_erased(lists, storage):
    await lists.add("ann", CSV)
    await lists.erase("ann")
    assert await storage.entities.get("lists", "ann", "lists") is None


@pytest.mark.parametrize(
    ("given", "data", "ending"),
    [
        ("csv", DATA, "csv"),
        ("csv", b"\x1f\x8b...", "csv.gz"),
        ("csv.gz", b"\x1f\x8b...", "csv.gz"),
        ("csv.gz", None, "csv.gz"),
        ("parquet", b"PAR1", "parquet"),
    ],
)
def test_a_gzipped_list_has_a_name_that_says_so(given, data, ending):
    assert ending_of(given, data) == ending


@pytest.mark.parametrize(("given", "data"), [("csv.gz", DATA), ("parquet", b"\x1f\x8b...")])
def test_a_list_that_is_not_what_its_format_says_is_refused(given, data):
    with pytest.raises(InvalidRequest, match="gzipped"):
        ending_of(given, data)
