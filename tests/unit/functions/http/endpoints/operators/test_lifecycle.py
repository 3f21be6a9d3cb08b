"""Administrators read what the next nightly run will do with the datasets of all users."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.costs.prices import read_prices
from shared.costs.storage import GB
from shared.datasets.keeping import Keeping
from shared.lifecycle.aging.run import AgeDatasets
from shared.storage.blobs import Tier
from shared.storage.entities import Replace
from tests.unit.datasets.made import made
from tests.unit.functions.http.http_calls import Caller, memory_app
from tests.unit.functions.http.test_users import wrong_fields

PLAN = "lifecycle/plan"
PRICES = read_prices(
    {
        "date": "2027-01-31",
        "region": "West Europe",
        "tiers": {
            "hot": {"storage_gb_month": 8},
            "cool": {"storage_gb_month": 4},
            "archive": {"storage_gb_month": 1, "writes_per_10000": 20_000},
        },
    }
)


@pytest.fixture
def priced(monkeypatch):
    app = memory_app(prices=PRICES)
    monkeypatch.setattr("functions.http.endpoint.app", lambda: app)
    return app


async def add(app, dataset_id, user_id, days_ago, **fields):
    moment = app.clock.now() - timedelta(days=days_ago)
    dataset = made(dataset_id, user_id, created_at=moment, size_bytes=2 * GB, **fields)
    await app.blobs.put(dataset.blobs[0], b"x")
    await app.blobs.set_tier(dataset.blobs[0], dataset.tier)
    await app.catalog.put(dataset)


async def test_each_step_has_its_tiers_its_size_and_what_it_saves_and_costs(priced):
    await add(priced, "a", "ann", 100, tier=Tier.COOL)
    await add(priced, "b", "bob", 5)
    archived = Keeping(tier_changed_at=priced.clock.now() - timedelta(days=60), retention_days=90)
    await add(priced, "c", "bob", 100, tier=Tier.ARCHIVE, keeping=archived)
    answered = await Caller(priced).get(PLAN)
    assert answered.status == 200
    body = answered.body
    move: dict[str, object] = {"action": "move", "origin": "cool", "target": "archive", "size_bytes": 2 * GB}
    move |= {"saving_month": 6.0, "cost": 2.0}
    # of 180 days in the Archive tier, 121 are missing at the beginning of the run's day
    deletion: dict[str, object] = {
        "action": "delete",
        "origin": "archive",
        "target": None,
        "size_bytes": 2 * GB,
    }
    fee = body["items"][1]["cost"]
    assert fee == pytest.approx(2 * 121 / 30, abs=0.07)
    deletion |= {"saving_month": 2.0, "cost": fee}
    age = body["items"][0]["age_days"]
    assert 99 <= age <= 100
    same = {"name": "pets", "age_days": age, "files": 1}
    assert body["items"] == [
        {"user_id": "ann", "dataset_id": "a", **same, **move},
        {"user_id": "bob", "dataset_id": "c", **same, **deletion},
    ]
    assert body["totals"] == {
        "complete": True,
        "datasets": 3,
        "unreadable": 0,
        "steps": [{"datasets": 1, **move}, {"datasets": 1, **deletion}],
        "saving_month": 8.0,
        "cost": pytest.approx(2.0 + fee),
    }
    assert body["prices"] == {"currency": "USD", "region": "West Europe", "date": "2027-01-31"}
    assert (body["next"], body["last_run"]) == (None, None)


async def test_pages_have_all_steps_and_only_the_first_has_the_totals(app, caller):
    for number in range(7):
        await add(app, f"d{number}", f"u{number % 3}", 100)
    query, found, totals = "limit=2", [], []
    while query:
        page = (await caller.get(PLAN, query)).body
        found += [(item["user_id"], item["dataset_id"]) for item in page["items"]]
        totals.append(page["totals"] and page["totals"]["steps"][0]["datasets"])
        query = (page["next"] or "").partition("?")[2]
    assert found == sorted((f"u{number % 3}", f"d{number}") for number in range(7))
    assert totals == [7, None, None, None]


async def test_after_the_run_the_plan_is_empty_and_shows_what_the_run_has_done(app, caller):
    await add(app, "a", "ann", 100)
    before = (await caller.get(PLAN)).body
    today = app.clock.now().date()
    assert before["date"] == today.isoformat()
    deadline = app.deadline()
    assert await app.aging_run.handle(AgeDatasets(today), deadline) is None
    after = (await caller.get(PLAN)).body
    assert (after["date"], after["items"]) == ((today + timedelta(days=1)).isoformat(), [])
    run = after["last_run"]
    assert run["finished_at"] >= run["started_at"]
    counts = {name: run[name] for name in ("date", "seen", "moved", "archived", "deleted", "failed")}
    assert counts == {
        "date": today.isoformat(),
        "seen": 1,
        "moved": 1,
        "archived": 1,
        "deleted": 0,
        "failed": 0,
    }


async def test_a_later_date_shows_what_is_due_then(app, caller):
    await add(app, "a", "ann", 10)
    assert (await caller.get(PLAN)).body["items"] == []
    later = (app.clock.now() + timedelta(days=25)).date()
    body = (await caller.get(PLAN, f"date={later}")).body
    assert [(item["target"], body["date"]) for item in body["items"]] == [("cool", later.isoformat())]


async def test_wrong_parameters_are_named(caller, app):
    yesterday = (app.clock.now() - timedelta(days=1)).date()
    for text in ("tomorrow", "20260101", "2026-13-01", "9999-12-31", yesterday, ""):
        assert wrong_fields(await caller.get(PLAN, f"date={text}")).keys() == {"date"}, text
    for text in ("", "ann", "ann/", "/a", "ann/a/b", "~owners/a", "a/~b"):
        assert wrong_fields(await caller.get(PLAN, f"cursor={text}")).keys() == {"cursor"}, text
    assert wrong_fields(await caller.get(PLAN, "limit=101")).keys() == {"limit"}


async def test_a_row_that_cannot_be_read_is_counted_and_hides_no_other(app, caller):
    await add(app, "a", "ann", 100)
    await add(app, "b", "ann", 100)
    row = await app.entities.get("datasets", "ann", "a")
    await app.entities.apply("datasets", "ann", [Replace(replace(row, values={"json": b"x"}))])
    body = (await caller.get(PLAN)).body
    assert [item["dataset_id"] for item in body["items"]] == ["b"]
    assert (body["totals"]["datasets"], body["totals"]["unreadable"]) == (1, 1)
