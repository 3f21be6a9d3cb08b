"""Before a spec is sent, its owner sees what would refuse it, and what it takes and costs."""

from datetime import UTC, datetime

import pytest

from shared.costs.prices import default_prices, read_prices
from shared.users.caller import TierName
from shared.users.tiers import read_tiers
from tests.unit.functions.http.http_calls import Caller, memory_app

TIERS = read_tiers({"free": {"jobs_at_once": 2, "images_per_month": 1200, "images_per_job": 1000}})
SPEC = {"keywords": ["cat"], "max_images_per_label": 700}
WEBSITE = {"sources": [{"type": "website", "start_urls": ["https://images.example/"], "label": "boat"}]}


@pytest.fixture
async def ann(monkeypatch):
    app = memory_app(tiers=TIERS)
    monkeypatch.setattr("functions.http.endpoint.app", lambda: app)
    admin = Caller(app)
    user = (await admin.post("users", {"name": "Ann", "tier": str(TierName.FREE)})).body
    key = await admin.post(f"users/{user['id']}/keys", {"name": "k", "scopes": ["read", "submit"]})
    return Caller(app, key.body["key"])


async def validated(caller, spec):
    answered = await caller.post("specs/validate", spec)
    assert answered.status == 200, answered.body
    return answered.body


def as_answered(body):
    """Leaves out what only an answer has: empty members, and its own correlation id."""
    return {name: value for name, value in body.items() if value is not None and name != "correlation_id"}


async def test_the_allowance_is_what_the_tier_leaves(ann):
    fresh = (await validated(ann, SPEC))["allowance"]
    resets_at = datetime.fromisoformat(fresh.pop("resets_at"))
    assert fresh == {
        "images_max": 700,
        "limited_by_tier": False,
        "images_per_job": 1000,
        "images_left_this_month": 1200,
        "jobs_left": 2,
    }
    assert (resets_at.day, resets_at > datetime.now(UTC)) == (1, True)
    assert (await ann.post("jobs", SPEC)).status == 201
    left = (await validated(ann, SPEC))["allowance"]
    assert (left["images_left_this_month"], left["jobs_left"]) == (500, 1)


@pytest.mark.parametrize("spec", [{"keywords": ["cat"], "max_images_per_label": 5000}, WEBSITE])
async def test_a_job_that_the_tier_limits_is_taken_with_fewer_images(ann, spec):
    body = await validated(ann, spec)
    assert (body["accepted"], body["refusals"]) == (True, [])
    assert (body["allowance"]["images_max"], body["allowance"]["limited_by_tier"]) == (1000, True)
    assert body["estimate"]["images"] <= 1000
    assert (await ann.post("jobs", spec)).status == 201


async def test_a_refusal_for_the_month_is_the_problem_that_a_submission_meets(ann):
    assert (await ann.post("jobs", SPEC)).status == 201
    body = await validated(ann, SPEC)
    refused = await ann.post("jobs", SPEC)
    assert not body["accepted"]
    assert [as_answered(each) for each in body["refusals"]] == [as_answered(refused.body)]
    assert refused.body["limit"] == 1200


async def test_all_reasons_are_named_at_once_and_the_first_is_the_one_that_a_submission_meets(ann):
    for _ in range(2):
        assert (await ann.post("jobs", {**SPEC, "max_images_per_label": 300})).status == 201
    spec = {**SPEC, "sources": [{"type": "openverse"}]}
    body = await validated(ann, spec)
    refused = await ann.post("jobs", spec)
    assert [each["limit"] for each in body["refusals"]] == [2, 1200]
    assert as_answered(body["refusals"][0]) == as_answered(refused.body)


async def test_a_missing_setting_is_a_refusal_too(ann):
    spec = {**SPEC, "sources": [{"type": "flickr"}]}
    body = await validated(ann, spec)
    refused = await ann.post("jobs", spec)
    assert [as_answered(each) for each in body["refusals"]] == [as_answered(refused.body)]


async def test_nothing_is_reserved(ann):
    for _ in range(3):
        await validated(ann, SPEC)
    profile = (await ann.get("users/profile")).body
    assert (profile["usage"]["jobs_open"], profile["usage"]["images_reserved"]) == (0, 0)


async def test_the_administrator_has_no_allowance_and_no_estimate_without_a_number_of_images(caller):
    body = await validated(caller, WEBSITE)
    assert (body["allowance"], body["estimate"], body["accepted"]) == (None, None, True)


async def test_the_estimate_has_amounts_costs_and_assumptions(ann):
    estimate = (await validated(ann, SPEC))["estimate"]
    assert (estimate["images"], estimate["candidates"]) == (240, 240)
    assert estimate["size_bytes"]["amount"] == 240 * 300_000
    assert estimate["duration_seconds"]["amount"] == 10 + 240 / 25
    prices = default_prices()
    assert estimate["prices"] == {
        "currency": prices.currency,
        "region": prices.region,
        "date": str(prices.date),
    }
    items = {name: item for name, item in estimate.items() if isinstance(item, dict) and name != "prices"}
    assert all(len(item["assumption"]) > 20 for item in items.values())
    free = {name for name, item in items.items() if item["cost"] is None}
    assert free == {"size_bytes", "duration_seconds"}
    once = ("executions", "execution_gb_seconds", "storage_transactions")
    assert estimate["job_cost"] == pytest.approx(sum(items[name]["cost"] for name in once), abs=3e-6)


@pytest.mark.parametrize(
    ("transform", "each"),
    [
        ({"resize": {"mode": "fit", "size": 256}}, 256 * 256 * 0.75 * 0.3),
        ({"resize": {"mode": "fill", "size": 256}, "format": "png"}, 256 * 256 * 1.5),
        ({"format": "webp"}, 1_000_000 * 0.2),
    ],
)
async def test_the_size_follows_from_the_transform(ann, transform, each):
    estimate = (await validated(ann, {**SPEC, "transform": transform}))["estimate"]
    assert estimate["size_bytes"]["amount"] == pytest.approx(240 * each, rel=1e-3)


async def test_originals_are_no_larger_than_the_filter_allows(ann):
    estimate = (await validated(ann, {**SPEC, "filters": {"max_bytes": 1000}}))["estimate"]
    assert estimate["size_bytes"]["amount"] == 240 * 1000


async def test_the_costs_follow_the_deployments_prices(monkeypatch, caller):
    before = (await validated(caller, SPEC))["estimate"]
    changes = {"date": "2027-01-31", "region": "West Europe", "egress": {"gb": 870}}
    app = memory_app(prices=read_prices(changes))
    monkeypatch.setattr("functions.http.endpoint.app", lambda: app)
    after = (await validated(Caller(app), SPEC))["estimate"]
    assert (after["prices"]["region"], after["prices"]["date"]) == ("West Europe", "2027-01-31")
    assert after["download_gb"]["cost"] == pytest.approx(10_000 * before["download_gb"]["cost"], rel=1e-2)
    assert after["job_cost"] == before["job_cost"]
