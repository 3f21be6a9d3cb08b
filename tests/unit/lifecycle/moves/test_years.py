"""Years pass for a dataset that its policy archives, and that its owner brings back again and again."""

from datetime import timedelta

from shared.jobs.job.messages import LIFECYCLE_QUEUE
from shared.lifecycle.moves.requests import WantedRehydration
from shared.storage.blobs import Priority, Tier
from shared.users.caller import ADMIN
from tests.expect import present
from tests.unit.lifecycle.aging.house import AgingHouse

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


async def nights_until(house, tier):
    """Lets nights pass until the dataset is in the tier; returns the tiers of all nights before."""
    seen = []
    while (found := await house.catalog.require(ADMIN, "a")).tier is not tier:
        seen.append(found.tier)
        house.clock.moment += DAY
        await house.night()
    return seen


async def hours_until_online(house):
    """Handles the messages of each hour until the dataset is online; returns how many hours that took."""
    hours = 0
    while (await house.catalog.require(ADMIN, "a")).keeping.rehydration is not None:
        for message in house.queues.take(LIFECYCLE_QUEUE):
            await house.app.task_queue.run(message, house.deadline())
        house.clock.moment += HOUR
        hours += 1
    return hours


async def test_a_dataset_that_came_back_is_not_archived_before_its_days_are_over():
    house = AgingHouse()
    await house.add("a", webhook_url="https://example.org/hook")
    for days, priority in ((200, Priority.STANDARD), (7, Priority.HIGH)):
        await nights_until(house, Tier.ARCHIVE)
        wanted = WantedRehydration(Tier.HOT, priority, days)
        await house.app.move_requests.rehydrate(ADMIN, "a", wanted)
        assert await hours_until_online(house) == (16 if priority is Priority.STANDARD else 2)
        online_until = present((await house.catalog.require(ADMIN, "a")).keeping.online_until)
        tiers = await nights_until(house, Tier.ARCHIVE)
        # the days online count as use, so that the policy's ages begin after them
        assert set(tiers[: days + 30]) == {Tier.HOT}
        assert set(tiers[days + 30 :]) == {Tier.HOT, Tier.COOL}
        assert timedelta(days=90) <= house.clock.now() - online_until <= timedelta(days=92)
    deliveries = await house.app.deliveries.store.page(ADMIN, "a")
    assert [delivery.type for delivery in deliveries.items] == ["dataset.rehydrated"] * 2


async def test_a_rehydration_whose_message_is_lost_goes_on_in_the_next_night():
    house = AgingHouse()
    await house.add("a")
    await nights_until(house, Tier.ARCHIVE)
    await house.app.move_requests.rehydrate(ADMIN, "a", WantedRehydration(Tier.COLD, Priority.STANDARD, 7))
    for _ in range(3):
        house.queues.take(LIFECYCLE_QUEUE)
        house.clock.moment += DAY
        await house.night()
    found = await house.catalog.require(ADMIN, "a")
    assert (found.tier, found.keeping.rehydration) == (Tier.COLD, None)


async def test_a_dataset_under_legal_hold_outlives_every_policy():
    house = AgingHouse(delete_after_days=300)
    dataset = await house.add("a")
    await house.keep(dataset, legal_hold=True, retention_days=100)
    await nights_until(house, Tier.ARCHIVE)
    house.clock.moment += 5000 * DAY
    await house.night()
    assert (await house.catalog.require(ADMIN, "a")).tier is Tier.ARCHIVE
    await house.keep(dataset, legal_hold=False)
    house.clock.moment += DAY
    await house.night()
    assert await house.catalog.get(ADMIN, "a") is None
