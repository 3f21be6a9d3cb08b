"""A dataset comes back from the Archive tier by messages, which come back until all files can be read."""

import asyncio
import json
from datetime import timedelta

import pytest

from shared.datasets.keeping import Keeping
from shared.errors import Conflict, NotFound, Permanent, Unavailable
from shared.lifecycle.moves.requests import WantedRehydration
from shared.storage.blobs import Priority, Tier
from tests.unit.datasets.made import MADE_AT
from tests.unit.lifecycle.moves.house import FOLDER, SHARDS, House

DAY = timedelta(days=1)
WEEK = WantedRehydration(Tier.HOT, Priority.STANDARD, 7)
FAST = WantedRehydration(Tier.HOT, Priority.HIGH, 3)


@pytest.fixture
async def house():
    made = House()
    await made.record(Tier.ARCHIVE)
    return made


async def test_a_dataset_is_online_within_15_hours_and_an_hour_of_waiting_and_stays_for_its_days(house):
    await house.requests.rehydrate("ann", "j", WEEK)
    await house.run()
    took = house.clock.now() - MADE_AT
    assert timedelta(hours=15) <= took <= timedelta(hours=16)
    assert await house.tiers() == {Tier.HOT}
    dataset = await house.dataset()
    assert dataset.tier is Tier.HOT
    assert dataset.keeping == Keeping(
        tier_changed_at=house.clock.now(), online_until=house.clock.now() + 7 * DAY
    )


async def test_high_priority_takes_an_hour_and_is_checked_more_often(house):
    await house.requests.rehydrate("ann", "j", FAST)
    await house.run()
    assert timedelta(hours=1) <= house.clock.now() - MADE_AT <= timedelta(hours=1, minutes=20)


async def test_the_waits_between_checks_grow_up_to_an_hour(house):
    await house.requests.rehydrate("ann", "j", WEEK)
    await house.run()
    first, *waits = house.messages.delays
    assert (first, waits[0], waits[1], waits[-1]) == (0, 600, 900, 3600)
    assert waits == sorted(waits)
    assert len(waits) < 25


async def test_the_end_is_reported_and_announced_to_the_webhook_of_the_spec_once(house):
    await house.requests.rehydrate("ann", "j", WEEK)
    await house.run()
    [event] = house.announced.events.values()
    assert (event.user_id, event.job_id, event.type) == ("ann", "j", "dataset.rehydrated")
    assert event.url == "https://example.org/hook"
    assert event.at == house.clock.now()
    assert event.data["tier"] == "hot"
    assert event.data["online_until"] == (event.at + 7 * DAY).isoformat()
    assert event.data["links"]["download"] == "/api/v1/datasets/j/download"
    assert house.operations() == ["rehydrate_dataset"]


async def test_a_dataset_without_a_webhook_is_not_announced():
    house = House()
    await house.record(Tier.ARCHIVE, webhook_url=None)
    await house.requests.rehydrate("ann", "j", WEEK)
    await house.run()
    assert not house.announced.events
    assert (await house.dataset()).tier is Tier.HOT


async def test_an_announcement_that_can_never_be_made_does_not_hold_the_dataset_back(house):
    house.announced.error = Permanent("too large")
    await house.requests.rehydrate("ann", "j", WEEK)
    await house.run()
    assert (await house.dataset()).keeping.rehydration is None
    assert house.telemetry.named("Permanent")


async def test_an_announcement_that_fails_is_made_by_the_message_that_comes_again(house):
    await house.requests.rehydrate("ann", "j", FAST)
    house.clock.advance(3600)
    await house.deliver()
    house.clock.advance(7200)
    message = house.messages.next()
    house.messages.lose_all()
    house.announced.error = Unavailable("no")
    deadline = house.deadline()
    with pytest.raises(Unavailable):
        await house.queue.run(message, deadline)
    ready_at = house.clock.now()
    assert (await house.dataset()).keeping.rehydration.ready_at == ready_at
    house.announced.error = None
    house.clock.advance(600)
    await house.queue.run(message, deadline)
    [event] = house.announced.events.values()
    assert event.at == ready_at
    assert (await house.dataset()).keeping.online_until == ready_at + 3 * DAY


async def test_a_dataset_that_is_online_stays_online_for_longer_but_never_for_shorter():
    house = House()
    await house.record(Tier.COOL)
    for wanted in (WEEK, FAST):
        dataset = await house.requests.rehydrate("ann", "j", wanted)
    assert (dataset.tier, dataset.keeping.rehydration) == (Tier.COOL, None)
    assert dataset.keeping.online_until == MADE_AT + 7 * DAY
    assert not house.messages


async def test_two_requests_at_the_same_time_are_one_rehydration_with_the_higher_priority(house):
    await asyncio.gather(
        house.requests.rehydrate("ann", "j", WEEK), house.requests.rehydrate("ann", "j", FAST)
    )
    await house.run()
    assert house.clock.now() - MADE_AT < timedelta(hours=2)
    assert (await house.dataset()).keeping.online_until == house.clock.now() + 7 * DAY
    assert len(house.announced.events) == 1
    assert house.operations() == ["rehydrate_dataset"]


async def test_the_priority_can_be_raised_while_the_files_are_on_their_way(house):
    await house.requests.rehydrate("ann", "j", WEEK)
    await house.deliver()
    assert (await house.blobs.info(SHARDS[0])).priority is Priority.STANDARD
    await house.requests.rehydrate("ann", "j", FAST)
    await house.run()
    assert house.clock.now() - MADE_AT < timedelta(hours=2)


async def test_the_tier_cannot_be_changed_on_the_way(house):
    await house.requests.rehydrate("ann", "j", WEEK)
    with pytest.raises(Conflict, match="on its way to the Hot tier"):
        await house.requests.rehydrate("ann", "j", WantedRehydration(Tier.COOL, Priority.STANDARD, 7))
    with pytest.raises(Conflict, match="out of the Archive tier"):
        await house.requests.move("ann", "j", Tier.COOL)


async def test_files_that_somebody_else_rehydrates_are_waited_for_and_their_tier_is_recorded(house):
    for name in SHARDS:
        await house.blobs.set_tier(name, Tier.COLD)
    await house.requests.rehydrate("ann", "j", WEEK)
    await house.run()
    assert (await house.dataset()).tier is Tier.COLD


async def test_records_that_somebody_has_archived_come_back_with_the_files(house):
    await house.blobs.set_tier(f"{FOLDER}records.jsonl.gz", Tier.ARCHIVE)
    await house.requests.rehydrate("ann", "j", WEEK)
    await house.run()
    assert (await house.blobs.info(f"{FOLDER}records.jsonl.gz")).tier is Tier.HOT


async def test_a_redelivered_message_of_any_age_changes_nothing_and_ends(house):
    await house.requests.rehydrate("ann", "j", WEEK)
    first = house.messages.next()
    await house.queue.run(first, house.deadline())
    await house.queue.run(first, house.deadline())
    await house.run()
    ended = await house.dataset()
    house.clock.advance(DAY.total_seconds())
    await house.queue.run(first, house.deadline())
    assert not house.messages
    assert await house.dataset() == ended
    assert len(house.announced.events) == 1


async def test_many_files_are_begun_in_slices_of_bounded_time(house):
    await house.requests.rehydrate("ann", "j", WEEK)
    await house.deliver(deadline_seconds=0.0)
    assert house.messages.delays == [0, 0]
    assert (await house.blobs.info(SHARDS[0])).rehydrating_to is None
    await house.run()
    assert await house.tiers() == {Tier.HOT}


async def test_messages_end_after_three_days_and_the_nightly_run_checks_once_a_night(house):
    async def refuse(*_, **__):
        raise Conflict("stuck")

    house.blobs.set_tier = refuse
    await house.requests.rehydrate("ann", "j", WEEK)
    await house.run()
    assert timedelta(days=3) < house.clock.now() - MADE_AT < timedelta(days=3, hours=2)
    assert len(house.telemetry.named("Permanent")) == 1
    for _ in range(3):
        sent = len(house.messages.delays)
        assert await house.requests.resume(await house.dataset())
        await house.run()
        assert len(house.messages.delays) == sent + 1


async def test_the_nightly_run_brings_a_dataset_back_whose_message_was_lost(house):
    await house.requests.rehydrate("ann", "j", WEEK)
    house.messages.lose_all()
    assert await house.requests.resume(await house.dataset())
    await house.run()
    assert await house.tiers() == {Tier.HOT}
    assert not await house.requests.resume(await house.dataset())


async def test_the_message_that_a_resumed_chain_replaces_has_no_effect(house):
    await house.requests.rehydrate("ann", "j", WEEK)
    stale = house.messages.next()
    await house.requests.resume(await house.dataset())
    await house.queue.run(stale, house.deadline())
    assert (await house.blobs.info(SHARDS[0])).rehydrating_to is None


async def test_a_later_revision_or_a_deletion_ends_the_rehydration(house):
    await house.requests.rehydrate("ann", "j", WEEK)
    await house.deliver()
    await house.catalog.begin_deletion("ann", "j", house.clock.now())
    await house.run()
    assert not house.announced.events
    with pytest.raises(NotFound):
        await house.requests.rehydrate("ann", "j", WEEK)


@pytest.mark.parametrize(
    "changes", [{"user_id": "a/b"}, {"job_id": ""}, {"job_id": "~owners"}, {"checks": "1"}, {"other": 1}]
)
async def test_a_forged_message_is_dropped(house, changes):
    await house.requests.rehydrate("ann", "j", WEEK)
    forged = json.loads(house.messages.next()) | changes
    await house.queue.run(json.dumps(forged), house.deadline())
    assert (await house.blobs.info(SHARDS[0])).rehydrating_to is None


@pytest.mark.parametrize("checks", [-(10**9), 10**9])
async def test_a_message_with_any_number_of_checks_waits_for_an_hour_at_most(house, checks):
    await house.requests.rehydrate("ann", "j", WEEK)
    forged = json.loads(house.messages.next()) | {"checks": checks}
    await house.queue.run(json.dumps(forged), house.deadline())
    assert 600 <= house.messages.delays[-1] <= 3600
