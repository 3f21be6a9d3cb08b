"""The owner of a dataset moves it between the tiers that can be read, and down to the Archive tier."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.datasets.keeping import Keeping
from shared.errors import Conflict, Permanent
from shared.lifecycle.moves.requests import WantedRehydration
from shared.storage.blobs import Priority, Tier
from tests.unit.datasets.made import MADE_AT
from tests.unit.lifecycle.moves.house import FOLDER, LINK_SECONDS, SHARDS, SMALL, House

DAY = timedelta(days=1)
LINKS = timedelta(seconds=LINK_SECONDS)


async def make(tier=Tier.HOT, **keeping):
    made = House()
    await made.record(tier, keeping=Keeping(**keeping))
    return made


@pytest.mark.parametrize("after", Tier)
@pytest.mark.parametrize("before", [Tier.HOT, Tier.COOL, Tier.COLD])
async def test_all_files_move_but_those_that_describe_the_dataset(before, after):
    house = await make(before)
    house.clock.advance(60)
    await house.requests.move("ann", "j", after)
    await house.run()
    dataset = await house.dataset()
    assert await house.tiers() == {after}
    assert (dataset.tier, dataset.keeping.move) == (after, None)
    assert dataset.keeping.tier_changed_at == (None if before is after else house.clock.now())
    for name in (*SMALL, "records.jsonl.gz"):
        assert (await house.blobs.info(f"{FOLDER}{name}")).tier is Tier.HOT


@pytest.mark.parametrize("tier", [Tier.HOT, Tier.COOL, Tier.COLD])
async def test_an_archived_dataset_does_not_move_and_the_error_names_the_call_that_rehydrates_it(tier):
    house = await make(Tier.ARCHIVE)
    with pytest.raises(Conflict, match="POST /api/v1/datasets/j/rehydrate"):
        await house.requests.move("ann", "j", tier)
    assert not house.messages


async def test_nothing_is_archived_before_the_days_are_over_for_which_it_was_to_stay_online():
    house = await make(Tier.ARCHIVE)
    await house.requests.rehydrate("ann", "j", WantedRehydration(Tier.HOT, Priority.HIGH, 5))
    await house.run()
    with pytest.raises(Conflict, match="stay online until"):
        await house.requests.move("ann", "j", Tier.ARCHIVE)
    await house.requests.move("ann", "j", Tier.COLD)
    await house.run()
    house.clock.advance((5 * DAY).total_seconds())
    await house.requests.move("ann", "j", Tier.ARCHIVE)
    await house.run()
    assert (await house.dataset()).keeping == Keeping(tier_changed_at=house.clock.now())


async def test_nothing_is_archived_while_links_may_work_that_were_given_on_the_day_after_the_recorded_download():
    house = await make(last_download_at=MADE_AT)
    house.clock.advance((DAY + LINKS).total_seconds() - 1)
    with pytest.raises(Conflict, match=r"Links .* may work until"):
        await house.requests.move("ann", "j", Tier.ARCHIVE)
    house.clock.advance(1)
    assert (await house.requests.move("ann", "j", Tier.ARCHIVE)).keeping.move


async def test_an_owner_who_says_so_archives_a_dataset_that_is_in_use():
    house = await make(last_download_at=MADE_AT, online_until=MADE_AT + 9 * DAY)
    await house.requests.move("ann", "j", Tier.ARCHIVE, even_if_in_use=True)
    await house.run()
    assert await house.tiers() == {Tier.ARCHIVE}
    assert (await house.dataset()).keeping.online_until is None


async def test_a_move_ends_before_the_next_one_begins():
    house = await make()
    first = await house.requests.move("ann", "j", Tier.COOL)
    with pytest.raises(Conflict, match="on its way to the Cool tier"):
        await house.requests.move("ann", "j", Tier.COLD)
    with pytest.raises(Conflict, match="on its way to the Cool tier"):
        await house.requests.rehydrate("ann", "j", WantedRehydration(Tier.HOT, Priority.STANDARD, 1))
    again = await house.requests.move("ann", "j", Tier.COOL)
    assert again.keeping.move.requested_at == first.keeping.move.requested_at
    await house.run()
    await house.requests.move("ann", "j", Tier.COLD)


async def test_files_that_are_not_in_the_recorded_tier_are_moved_there():
    house = await make()
    await house.blobs.set_tier(SHARDS[1], Tier.COOL)
    await house.requests.move("ann", "j", Tier.HOT)
    await house.run()
    assert await house.tiers() == {Tier.HOT}


async def test_a_move_is_made_in_slices_of_bounded_time_and_resumed_by_the_nightly_run():
    house = await make()
    await house.requests.move("ann", "j", Tier.COLD)
    await house.deliver(deadline_seconds=0.0)
    assert await house.tiers() == {Tier.HOT}
    house.messages.lose_all()
    assert await house.requests.resume(await house.dataset())
    await house.run()
    assert await house.tiers() == {Tier.COLD}


async def test_files_of_other_revisions_stay_where_they_are():
    house = await make()
    other = f"{FOLDER}r2/shards/00000.tar"
    await house.blobs.put(other, b"x")
    await house.requests.move("ann", "j", Tier.COOL)
    await house.run()
    assert (await house.blobs.info(other)).tier is Tier.HOT


async def test_a_move_that_storage_refuses_for_good_is_reported_and_does_not_stand_in_the_way():
    house = await make()
    set_tier = house.blobs.set_tier

    async def refuse(*_, **__):
        raise Permanent("The account has no Archive tier.")

    house.blobs.set_tier = refuse
    await house.requests.move("ann", "j", Tier.ARCHIVE)
    await house.run()
    dataset = await house.dataset()
    assert (dataset.tier, dataset.keeping) == (Tier.HOT, Keeping())
    assert house.telemetry.named("Permanent")
    house.blobs.set_tier = set_tier
    await house.requests.move("ann", "j", Tier.COLD)
    await house.run()
    assert await house.tiers() == {Tier.COLD}


async def test_a_year_passes_and_a_dataset_goes_down_and_comes_back():
    house = await make()
    for tier, days in ((Tier.COOL, 30), (Tier.COLD, 90), (Tier.ARCHIVE, 180)):
        house.clock.advance(days * DAY.total_seconds())
        await house.requests.move("ann", "j", tier)
        await house.run()
    await house.requests.rehydrate("ann", "j", WantedRehydration(Tier.COLD, Priority.STANDARD, 30))
    await house.run()
    dataset = await house.dataset()
    assert (dataset.tier, await house.tiers()) == (Tier.COLD, {Tier.COLD})
    now = house.clock.now()
    keeping = Keeping(tier_changed_at=now, online_until=now + 30 * DAY)
    assert dataset == replace(dataset, keeping=keeping)
