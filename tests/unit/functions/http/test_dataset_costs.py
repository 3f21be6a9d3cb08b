"""A dataset says what it costs to keep and to read it, at the prices of the deployment."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.costs.prices import read_prices
from shared.costs.storage import GB
from shared.datasets.keeping import Keeping
from shared.storage.blobs import Tier
from tests.unit.functions.http.http_calls import Caller, memory_app
from tests.unit.functions.http.test_lists import _dataset

PRICES = read_prices(
    {
        "date": "2027-01-31",
        "region": "West Europe",
        "tiers": {
            "hot": {"storage_gb_month": 8, "reads_per_10000": 10_000, "retrieval_gb": 0},
            "cool": {"storage_gb_month": 4, "reads_per_10000": 20_000, "retrieval_gb": 1},
            "archive": {"storage_gb_month": 1, "reads_per_10000": 30_000, "retrieval_gb": 2},
        },
        "high_priority_rehydration": {"reads_per_10000": 300_000, "retrieval_gb": 20},
        "egress": {"gb": 5},
    }
)


@pytest.fixture
def priced(monkeypatch):
    app = memory_app(prices=PRICES)
    monkeypatch.setattr("functions.http.endpoint.app", lambda: app)
    return app


async def costs_of(app, tier, days_in_tier, blobs=("one.tar", "two.tar")):
    changed = app.clock.now() - timedelta(days=days_in_tier)
    keeping = Keeping(tier_changed_at=changed)
    folder = "datasets/job_d"
    await app.catalog.put(
        replace(
            _dataset("d", 0),
            size_bytes=2 * GB,
            tier=tier,
            blobs=tuple(f"{folder}/{blob}" for blob in blobs),
            keeping=keeping,
        )
    )
    return (await Caller(app).get("datasets/d")).body["costs"]


async def test_a_dataset_in_the_hot_tier(priced):
    assert await costs_of(priced, Tier.HOT, 1) == {
        "prices": {"currency": "USD", "region": "West Europe", "date": "2027-01-31"},
        "storage_month": 16,
        "download": 2 + 10,
        "rehydration": {"standard": 6 + 4, "high": 60 + 40},
        "early_deletion": 0,
    }


async def test_leaving_the_cool_tier_early_costs_the_days_that_are_left(priced):
    costs = await costs_of(priced, Tier.COOL, 15)
    assert (costs["storage_month"], costs["download"]) == (8, 4 + 2 + 10)
    assert costs["early_deletion"] == 4


async def test_an_archived_dataset_is_downloaded_from_the_hot_tier(priced):
    costs = await costs_of(priced, Tier.ARCHIVE, 200)
    assert (costs["storage_month"], costs["download"], costs["early_deletion"]) == (2, 2 + 10, 0)


async def test_the_answer_is_the_same_for_the_rest_of_the_day(priced):
    assert await costs_of(priced, Tier.ARCHIVE, 10.2) == await costs_of(priced, Tier.ARCHIVE, 10.9)


async def test_the_list_of_datasets_has_no_costs(priced):
    await costs_of(priced, Tier.HOT, 1)
    assert "costs" not in (await Caller(priced).get("datasets")).body["items"][0]
