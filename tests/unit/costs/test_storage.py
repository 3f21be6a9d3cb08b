"""What it costs to keep, read and move blobs, by the rules of Azure's meters, at prices that are easy to add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.costs.prices import default_prices, read_prices
from shared.costs.storage import (
    GB,
    download,
    early_deletion,
    move,
    rehydration,
    saving_month,
    storage_month,
)
from shared.storage.blobs import Priority, Tier

PRICES = read_prices(
    {
        "date": "2026-11-29",
        "tiers": {
            "hot": {"storage_gb_month": 8, "reads_per_10000": 10, "writes_per_10000": 20, "retrieval_gb": 0},
            "cool": {"storage_gb_month": 4, "reads_per_10000": 30, "writes_per_10000": 40, "retrieval_gb": 1},
            "cold": {"storage_gb_month": 2, "reads_per_10000": 50, "writes_per_10000": 60, "retrieval_gb": 2},
            "archive": {
                "storage_gb_month": 1,
                "reads_per_10000": 70,
                "writes_per_10000": 80,
                "retrieval_gb": 3,
            },
        },
        "high_priority_rehydration": {"reads_per_10000": 700, "retrieval_gb": 30},
        "egress": {"gb": 5},
    }
)
BLOBS = 10_000
TIERS = st.sampled_from(list(Tier))
SIZES = st.integers(0, 1 << 50)
COUNTS = st.integers(0, 10**9)
DAYS = st.floats(0, 4000)


def test_a_month_of_storage_is_the_sum_over_the_tiers():
    assert storage_month(PRICES, {}) == 0
    assert storage_month(PRICES, {Tier.HOT: GB, Tier.COOL: 2 * GB, Tier.ARCHIVE: GB // 2}) == 8 + 8 + 0.5


@pytest.mark.parametrize(
    ("tier", "cost"),
    [(Tier.HOT, 10 + 5), (Tier.COOL, 30 + 1 + 5), (Tier.COLD, 50 + 2 + 5), (Tier.ARCHIVE, 70 + 3 + 5)],
)
def test_a_download_is_a_read_of_each_blob_its_retrieval_and_the_egress(tier, cost):
    assert download(PRICES, GB, tier, BLOBS) == cost


def test_a_rehydration_is_a_read_of_each_blob_and_its_retrieval():
    assert rehydration(PRICES, 2 * GB, BLOBS, Priority.STANDARD) == 70 + 6
    assert rehydration(PRICES, 2 * GB, BLOBS, Priority.HIGH) == 700 + 60


@pytest.mark.parametrize(
    ("tier", "days", "cost"),
    [
        (Tier.HOT, 0, 0),
        (Tier.COOL, 0, 4),
        (Tier.COOL, 15, 2),
        (Tier.COOL, 30, 0),
        (Tier.COLD, 30, 4),
        (Tier.COLD, 91, 0),
        (Tier.ARCHIVE, 0, 6),
        (Tier.ARCHIVE, 45, 4.5),
        (Tier.ARCHIVE, 180, 0),
        (Tier.ARCHIVE, -1, 6),
    ],
)
def test_leaving_a_tier_early_costs_the_storage_of_the_days_that_are_left(tier, days, cost):
    assert early_deletion(PRICES, GB, tier, days) == pytest.approx(cost)


@pytest.mark.parametrize(
    ("origin", "target", "days", "cost"),
    [
        (Tier.HOT, Tier.COOL, 0, 40),
        (Tier.HOT, Tier.ARCHIVE, 90, 80),
        (Tier.COOL, Tier.ARCHIVE, 15, 80 + 2),
        (Tier.COOL, Tier.HOT, 30, 30 + 1),
        (Tier.COOL, Tier.HOT, 0, 30 + 1 + 4),
        (Tier.COLD, Tier.COOL, 90, 50 + 2),
        (Tier.ARCHIVE, Tier.HOT, 180, 70 + 3),
        (Tier.ARCHIVE, Tier.COLD, 0, 70 + 3 + 6),
    ],
)
def test_a_move_is_a_write_to_a_colder_tier_and_a_read_from_a_colder_tier_with_the_early_deletion_fee(
    origin, target, days, cost
):
    assert move(PRICES, GB, BLOBS, origin, target, days) == pytest.approx(cost)


@given(SIZES, COUNTS, TIERS, DAYS)
def test_a_move_to_the_same_tier_costs_nothing(size, blobs, tier, days):
    assert move(default_prices(), size, blobs, tier, tier, days) == 0


@given(SIZES, COUNTS, st.sampled_from([Tier.HOT, Tier.COOL, Tier.COLD]), DAYS)
def test_a_move_out_of_the_archive_tier_is_a_rehydration_with_standard_priority(size, blobs, target, days):
    prices = default_prices()
    expected = rehydration(prices, size, blobs, Priority.STANDARD)
    expected += early_deletion(prices, size, Tier.ARCHIVE, days)
    assert move(prices, size, blobs, Tier.ARCHIVE, target, days) == pytest.approx(expected)


@given(SIZES, TIERS, TIERS)
def test_the_saving_of_a_month_is_the_difference_of_two_months_of_storage(size, origin, target):
    prices = default_prices()
    difference = storage_month(prices, {origin: size}) - storage_month(prices, {target: size})
    assert saving_month(prices, size, origin, target) == pytest.approx(difference, abs=1e-6)


@given(SIZES, COUNTS, TIERS, TIERS, DAYS, DAYS)
def test_waiting_never_makes_a_move_dearer(size, blobs, origin, target, first, second):
    earlier, later = sorted((first, second))
    prices = default_prices()
    assert move(prices, size, blobs, origin, target, later) <= move(
        prices, size, blobs, origin, target, earlier
    )
