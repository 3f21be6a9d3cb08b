import pytest

from shared.clock import Deadline
from shared.lifecycle.aging.plan import Plan
from shared.lifecycle.aging.policy import Action
from shared.storage.blobs import Tier
from shared.users.caller import ADMIN
from tests.unit.lifecycle.aging.house import DAY, AgingHouse


async def pages_of(house, size, seconds=1e9):
    """Returns the plan page by page."""
    pages: list[Plan] = []
    after = None
    while not pages or after is not None:
        deadline = Deadline.after(house.clock, seconds)
        pages.append(await house.app.lifecycle_planner.read(size, deadline, after=after))
        after = pages[-1].more_after
    return pages


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_the_pages_of_a_plan_have_each_step_once_and_the_first_the_totals_of_all(size):
    house = AgingHouse()
    await house.add_many(80, 5)
    whole = await house.plan()
    pages = await pages_of(house, size)
    assert [item for page in pages for item in page.items] == whole.items
    assert pages[0].totals == whole.totals
    assert all(len(page.items) <= size for page in pages)


async def test_a_plan_that_runs_out_of_time_says_so_and_goes_on_where_it_stopped():
    house = AgingHouse()
    await house.add_many(80, 5)
    whole = await house.plan()
    house.clock.tick = 0.1
    pages = await pages_of(house, 100, seconds=2.0)
    assert len(pages) > 2
    assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]
    assert [item for page in pages for item in page.items] == whole.items
    assert sum(page.seen for page in pages) == whole.seen


async def test_totals_are_sums_by_kind_in_order_of_the_tiers():
    house = AgingHouse()
    await house.add_many(200, 6)
    plan = await house.plan()
    kinds = [(total.origin, total.target) for total in plan.totals]
    order = [*Tier, None]
    assert kinds == sorted(kinds, key=lambda kind: (order.index(kind[0]), order.index(kind[1])))
    for total in plan.totals:
        items = [
            item for item in plan.items if (item.dataset.tier, item.step.tier) == (total.origin, total.target)
        ]
        assert total.datasets == len(items)
        assert total.size_bytes == sum(item.size_bytes for item in items)
        assert total.saving_month == pytest.approx(sum(item.saving_month for item in items))
        assert total.cost == pytest.approx(sum(item.cost for item in items))
    assert sum(total.datasets for total in plan.totals) == len(plan.items)


async def test_every_step_saves_and_only_deletions_cost_the_rest_of_a_tiers_time():
    house = AgingHouse()
    await house.add_many(200, 6)
    for item in (await house.plan()).items:
        assert item.saving_month > 0
        if item.step.action is Action.MOVE:
            assert item.cost < 0.0001
            assert item.step.early_days == 0


async def test_online_keeps_all_datasets_readable_for_ever():
    house = AgingHouse(lifecycle="online")
    await house.add("a")
    tiers: dict[Tier, int] = {}
    for day in range(1000):
        await house.night()
        tiers.setdefault((await house.state())["a"][0].tier, day)
        house.clock.moment += DAY
    assert tiers == {Tier.HOT: 0, Tier.COOL: 30, Tier.COLD: 90}
    assert house.events() == {}


async def test_a_dataset_that_is_being_deleted_is_not_counted():
    house = AgingHouse()
    for dataset_id in ("a", "b"):
        await house.add(dataset_id)
    assert (await house.plan()).seen == 2
    await house.catalog.begin_deletion(ADMIN, "a", house.clock.now())
    assert (await house.plan()).seen == 1
