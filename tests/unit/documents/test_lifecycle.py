"""The page on unused datasets has the numbers that follow from the price file and from the default policy."""

import re

from shared.costs.prices import default_prices
from shared.costs.storage import DAYS_A_MONTH, GB, early_deletion, rehydration, storage_month
from shared.lifecycle.aging.policy import DEFAULT_POLICY
from shared.storage.blobs import Priority, Tier
from tests.unit.documents.markdown import rows_of, section_of

PAGE, SECTION = "docs/reference/lifecycle.md", "Archive or online"
PRICES, SIZE = default_prices(), 1024 * GB
YEAR = 365


def storage(days):
    """Returns what so many days in each tier cost."""
    return sum(storage_month(PRICES, {tier: SIZE}) * count / DAYS_A_MONTH for tier, count in days.items())


def first_year(last):
    cool, archive = DEFAULT_POLICY.cool_after_days or 0, DEFAULT_POLICY.archive_after_days or 0
    return storage({Tier.HOT: cool, Tier.COOL: archive - cool, last: YEAR - archive})


def read(tier):
    return PRICES.tiers[tier].retrieval_gb * SIZE / GB


def table():
    hot = storage({Tier.HOT: YEAR})
    return {
        "the first year without use": (first_year(Tier.ARCHIVE), first_year(Tier.COLD), hot),
        "each further year": (storage({Tier.ARCHIVE: YEAR}), storage({Tier.COLD: YEAR}), hot),
        "to read it once, without egress": (
            rehydration(PRICES, SIZE, 0, Priority.STANDARD),
            read(Tier.COLD),
            read(Tier.HOT),
        ),
        "to read it within an hour": (
            rehydration(PRICES, SIZE, 0, Priority.HIGH),
            read(Tier.COLD),
            read(Tier.HOT),
        ),
        "the highest fee for leaving the last tier early": tuple(
            early_deletion(PRICES, SIZE, tier, 0) for tier in (Tier.ARCHIVE, Tier.COLD, Tier.HOT)
        ),
    }


def test_the_difference_in_money_is_that_of_the_price_file():
    expected = {name: [f"{value:.2f}" for value in values] for name, values in table().items()}
    assert {row[0]: row[1:] for row in rows_of(section_of(PAGE, SECTION))} == expected


def test_the_differences_in_the_text_are_those_of_the_table():
    rows = list(table().values())
    differences = [f"{online - archive:.2f}" for archive, online, _ in rows[:3]]
    assert re.findall(r"(\d+\.\d\d) USD", section_of(PAGE, SECTION)) == differences
