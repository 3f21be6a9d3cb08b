"""What a deletion costs that comes before the time of a tier is over: computed by hand, for one GB."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.costs.storage import GB
from shared.datasets.keeping import Keeping
from shared.storage.blobs import Tier
from tests.expect import present
from tests.unit.datasets.made import made
from tests.unit.lifecycle.aging.house import AgingHouse

# prices a GB and month of the price file: 0.01 in Cool, 0.0036 in Cold, 0.002 in Archive; a month has 30 days
CASES = [
    (Tier.HOT, datetime(2027, 1, 1, tzinfo=UTC), 0.0),
    (Tier.COOL, datetime(2027, 12, 22, tzinfo=UTC), 0.006667),  # 10 days: 20 are left
    (
        Tier.COOL,
        datetime(2027, 12, 2, 0, 0, 1, tzinfo=UTC),
        0.000333,
    ),  # a second less than 30 days: 1 is left
    (Tier.COOL, datetime(2027, 12, 2, tzinfo=UTC), 0.0),  # 30 days
    (Tier.COLD, datetime(2028, 1, 1, tzinfo=UTC), 0.0108),  # just now: all 90 are left
    (Tier.COLD, datetime(2027, 10, 4, tzinfo=UTC), 0.00012),  # 89 days: 1 is left
    (Tier.COLD, datetime(2027, 10, 3, tzinfo=UTC), 0.0),  # 90 days
    (Tier.ARCHIVE, datetime(2027, 12, 31, tzinfo=UTC), 0.011933),  # 1 day: 179 are left
    (Tier.ARCHIVE, datetime(2027, 10, 2, tzinfo=UTC), 0.005933),  # 91 days: 89 are left
    (Tier.ARCHIVE, datetime(2027, 7, 5, tzinfo=UTC), 0.0),  # 180 days
    # the clock of another machine is ahead: no more than the whole time is charged
    (Tier.ARCHIVE, datetime(2028, 1, 1, 0, 10, tzinfo=UTC), 0.012),
]


async def fee(tier, since, moment):
    house = AgingHouse(delete_after_days=90)
    keeping = Keeping(tier_changed_at=since)
    created = moment - timedelta(days=400)
    dataset = made("a", created_at=created, tier=tier, size_bytes=GB, keeping=keeping)
    due = present(await house.app.lifecycle_planner.rules.on(moment.date()).of(dataset))
    assert due.step.tier is None
    return due.cost


@pytest.mark.parametrize(("tier", "since", "expected"), CASES)
async def test_a_deletion_costs_the_days_that_are_left_of_its_tier(tier, since, expected):
    assert await fee(tier, since, datetime(2028, 1, 1, tzinfo=UTC)) == pytest.approx(expected, abs=1e-6)


async def test_the_day_of_a_leap_year_counts():
    since = datetime(2028, 2, 1, tzinfo=UTC)
    # 29 days of February and one of March are the 30 of the Cool tier
    assert await fee(Tier.COOL, since, datetime(2028, 3, 1, tzinfo=UTC)) == pytest.approx(0.01 / 30)
    assert await fee(Tier.COOL, since, datetime(2028, 3, 2, tzinfo=UTC)) == 0
