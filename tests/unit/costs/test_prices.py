"""The price file is complete and honest, and the setting PRICES changes it by its rules only."""

from datetime import date

import pytest
from pydantic import BaseModel, ValidationError

from shared.costs.prices import default_prices, read_prices
from shared.storage.blobs import Tier

TODAY = {"date": "2027-01-31"}


def price_at(found, path):
    for name in path.split("."):
        found = getattr(found, name) if isinstance(found, BaseModel) else found[name]
    return found


def test_the_file_has_prices_of_one_day_in_one_currency_for_every_tier():
    prices = default_prices()
    assert (prices.currency, prices.region, prices.redundancy) == ("USD", "East US 2", "LRS")
    assert prices.date >= date(2026, 11, 29)
    assert set(prices.tiers) == set(Tier)


def test_every_price_that_is_named_as_unconfirmed_is_in_the_file():
    prices = default_prices()
    for path in prices.unconfirmed:
        assert isinstance(price_at(prices, path), float)


def test_colder_tiers_store_for_less():
    stored = [default_prices().tiers[tier].storage_gb_month for tier in Tier]
    assert stored == sorted(stored, reverse=True)


def test_a_change_replaces_one_price_and_keeps_all_others():
    changed = read_prices({**TODAY, "tiers": {"hot": {"storage_gb_month": 0.02}}})
    assert changed.tiers[Tier.HOT].storage_gb_month == 0.02
    assert changed.tiers[Tier.HOT].writes_per_10000 == default_prices().tiers[Tier.HOT].writes_per_10000
    assert changed.tiers[Tier.COLD] == default_prices().tiers[Tier.COLD]
    assert changed.date == date(2027, 1, 31)


def test_a_changed_price_is_no_longer_unconfirmed():
    path = "tiers.cool.storage_gb_month"
    assert path in default_prices().unconfirmed
    changed = read_prices({**TODAY, "tiers": {"cool": {"storage_gb_month": 0.0115}}})
    assert changed.unconfirmed.keys() == default_prices().unconfirmed.keys() - {path}


def test_another_currency_needs_all_prices():
    with pytest.raises(
        ValueError, match=r"all prices are needed, and tiers\.hot\.storage_gb_month is missing"
    ):
        read_prices({**TODAY, "currency": "EUR"})
    everything = default_prices().model_dump(mode="json")
    del everything["egress"]["gb"]
    with pytest.raises(ValueError, match=r"and egress\.gb is missing"):
        read_prices({**everything, "currency": "EUR"})
    everything["egress"]["gb"] = 0.08
    assert read_prices({**everything, "currency": "EUR"}).currency == "EUR"


def test_the_same_currency_may_be_named():
    assert read_prices({**TODAY, "currency": "USD"}).currency == "USD"


def test_whoever_changes_prices_can_name_what_is_unconfirmed():
    assert (
        read_prices({**TODAY, "unconfirmed": {"egress.gb": "a guess"}}).unconfirmed["egress.gb"] == "a guess"
    )


@pytest.mark.parametrize("changes", [{}, {"egress": {"gb": 0.08}}, {"date": None}, {"date": 5}])
def test_changes_without_the_day_of_their_prices_are_refused(changes):
    with pytest.raises(ValueError, match="date is missing"):
        read_prices(changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"egress": {"gb": -1}},
        {"egress": {"gb": float("nan")}},
        {"egress": {"gb": float("inf")}},
        {"egress": {"gb": "cheap"}},
        {"egress": 1},
        {"egress": {"pint": 1}},
        {"tiers": {"lukewarm": {"storage_gb_month": 1}}},
        {"tiers": {"hot": None}},
        {"currency": "dollars"},
        {"date": "yesterday"},
        {"region": ""},
        {"region": "x" * 401},
        {"surprise": 1},
    ],
)
def test_changes_that_break_a_rule_are_refused(changes):
    with pytest.raises(ValidationError):
        read_prices({**TODAY, **changes})
