"""How a dataset is kept is recorded beside its content, and a legal hold keeps all of it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.datasets.catalog import Catalog
from shared.datasets.keeping import Keeping, Rehydration
from shared.errors import Conflict, NotFound
from shared.storage.blobs import Priority, Tier
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from tests.unit.datasets.made import MADE_AT, made

LATER = MADE_AT + timedelta(days=1)
HELD = Keeping(legal_hold=True)
AS_ASKED = Keeping(
    tier_changed_at=MADE_AT,
    last_download_at=LATER,
    online_until=LATER,
    rehydration=Rehydration(Tier.HOT, Priority.HIGH, LATER, 7),
    legal_hold=True,
    retention_days=365,
)


@pytest.fixture
def blobs():
    return MemoryBlobs()


@pytest.fixture
def catalog(blobs):
    return Catalog(MemoryEntities(), blobs)


def keeping(**fields):
    return lambda dataset: replace(dataset, keeping=replace(dataset.keeping, **fields))


async def test_how_a_dataset_is_kept_is_recorded_and_nothing_else_of_it_changes(catalog):
    await catalog.put(made())
    changed = await catalog.keep(
        "ann", "j", lambda _: made(name="other", image_count=9, tier=Tier.COOL, keeping=AS_ASKED)
    )
    assert changed == await catalog.require("ann", "j") == made(tier=Tier.COOL, keeping=AS_ASKED)


async def test_changes_at_the_same_time_are_all_recorded(catalog):
    await catalog.put(made(keeping=Keeping(retention_days=0)))

    def one_more(dataset):
        return keeping(retention_days=dataset.keeping.retention_days + 1)(dataset)

    await asyncio.gather(*(catalog.keep("ann", "j", one_more) for _ in range(20)))
    assert (await catalog.require("ann", "j")).keeping.retention_days == 20


async def test_only_the_owner_changes_how_a_dataset_is_kept(catalog):
    await catalog.put(made())
    with pytest.raises(NotFound):
        await catalog.keep("bob", "j", keeping(legal_hold=True))


async def test_a_revision_that_is_recorded_again_stays_in_its_tier_and_is_kept_as_before(catalog):
    await catalog.put(made())
    moved = await catalog.keep(
        "ann", "j", lambda stored: replace(stored, tier=Tier.ARCHIVE, keeping=AS_ASKED)
    )
    await catalog.put(made())
    assert await catalog.require("ann", "j") == moved


async def test_a_later_revision_is_kept_as_people_have_asked_but_its_files_are_where_they_are(catalog):
    await catalog.put(made(tier=Tier.ARCHIVE, keeping=AS_ASKED))
    await catalog.put(made(revision=2, keeping=Keeping(tier_changed_at=LATER)))
    found = await catalog.require("ann", "j")
    assert (found.revision, found.tier) == (2, Tier.HOT)
    assert found.keeping == replace(AS_ASKED, tier_changed_at=LATER, rehydration=None)


async def test_a_revision_that_is_taken_back_leaves_what_people_have_asked_for(catalog):
    before = made(tier=Tier.ARCHIVE, keeping=Keeping(tier_changed_at=MADE_AT))
    await catalog.put(before)
    await catalog.put(made(revision=2, keeping=Keeping(tier_changed_at=LATER)))
    await catalog.keep("ann", "j", keeping(legal_hold=True))
    await catalog.undo("ann", "j", 2, before)
    assert await catalog.require("ann", "j") == replace(
        before, keeping=Keeping(tier_changed_at=MADE_AT, legal_hold=True)
    )


async def test_a_dataset_under_legal_hold_stays_recorded_though_its_job_did_not_complete(catalog):
    await catalog.put(made(keeping=HELD))
    await catalog.undo("ann", "j", 1, None)
    assert await catalog.get("ann", "j") == made(keeping=HELD)


async def test_no_file_of_any_revision_is_deleted_under_legal_hold(catalog, blobs):
    await catalog.put(made(revision=2, keeping=HELD))
    for name in ("datasets/job_j/dataset.zip", "datasets/job_j/r2/dataset.zip"):
        await blobs.put(name, b"zip")
    soon = (await blobs.info("datasets/job_j/dataset.zip")).modified_at + timedelta(seconds=1)
    await catalog.delete_other_revisions("ann", "j", soon)
    assert await blobs.info("datasets/job_j/dataset.zip")
    await catalog.keep("ann", "j", keeping(legal_hold=False))
    await catalog.delete_other_revisions("ann", "j", soon)
    assert [info.name async for info in blobs.list("datasets/")] == ["datasets/job_j/r2/dataset.zip"]


async def test_a_deletion_does_not_begin_under_legal_hold(catalog):
    await catalog.put(made(keeping=HELD))
    assert not await catalog.may_delete("ann", "j")
    with pytest.raises(Conflict, match="legal hold"):
        await catalog.begin_deletion("ann", "j", LATER)
    await catalog.keep("ann", "j", keeping(legal_hold=False))
    assert await catalog.may_delete("ann", "j")
    assert (await catalog.begin_deletion("ann", "j", LATER)).keeping.deleting_since == LATER


async def test_a_dataset_whose_deletion_has_begun_is_seen_only_by_those_who_delete_it(catalog):
    await catalog.put(made())
    gone = await catalog.begin_deletion("ann", "j", LATER)
    assert await catalog.begin_deletion("ann", "j", LATER + timedelta(days=1)) == gone
    assert await catalog.get("ann", "j") is None
    assert (await catalog.page("ann")).items == []
    with pytest.raises(NotFound):
        await catalog.keep("ann", "j", keeping(legal_hold=True))
    assert await catalog.get("ann", "j", also_deleting=True) == gone
    assert (await catalog.page("ann", also_deleting=True)).items == [gone]


async def test_a_deletion_goes_on_when_the_revision_is_taken_back_or_a_later_one_is_recorded(catalog):
    await catalog.put(made())
    await catalog.begin_deletion("ann", "j", LATER)
    await catalog.undo("ann", "j", 1, None)
    await catalog.put(made(revision=2))
    await catalog.undo("ann", "j", 2, made())
    assert await catalog.get("ann", "j") is None
    assert (await catalog.get("ann", "j", also_deleting=True)).keeping.deleting_since == LATER
