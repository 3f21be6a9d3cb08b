"""A call without room in the caller's quota is refused with the limit, the use and the reset."""

from datetime import UTC, datetime

import pytest

from shared.users.caller import TierName
from shared.users.tiers import read_tiers
from tests.unit.functions.http.http_calls import Caller, memory_app
from tests.unit.in_memory import rows_about

TIERS = read_tiers({"free": {"jobs_at_once": 2, "images_per_month": 1200, "images_per_job": 1000}})
SPEC = {"keywords": ["cat"], "max_images_per_label": 700}


@pytest.fixture
async def ann(monkeypatch):
    app = memory_app(tiers=TIERS)
    monkeypatch.setattr("functions.http.endpoint.app", lambda: app)
    admin = Caller(app)
    user = (await admin.post("users", {"name": "Ann", "tier": str(TierName.FREE)})).body
    key = await admin.post(f"users/{user['id']}/keys", {"name": "k", "scopes": ["read", "submit"]})
    return Caller(app, key.body["key"])


async def test_images_beyond_the_month_are_429_with_limit_use_and_reset(ann):
    assert (await ann.post("jobs", SPEC)).status == 201
    refused = await ann.post("jobs", SPEC)
    assert (refused.status, refused.body["code"]) == (429, "quota_exceeded")
    assert (refused.body["limit"], refused.body["used"]) == (1200, 700)
    resets_at = datetime.fromisoformat(refused.body["resets_at"])
    assert (resets_at.day, resets_at.hour) == (1, 0)
    seconds = (resets_at - datetime.now(UTC)).total_seconds()
    assert abs(int(refused.headers["Retry-After"]) - seconds) < 10
    assert (await ann.post("jobs", {**SPEC, "max_images_per_label": 500})).status == 201


async def test_a_job_that_does_not_say_how_many_images_it_asks_for_takes_what_the_month_leaves(ann):
    assert (await ann.post("jobs", SPEC)).status == 201
    profile = await ann.get("users/profile")
    spec = {"sources": [{"type": "urls", "blob": f"inputs/{profile.body['id']}/list.csv"}]}
    allowance = (await ann.post("specs/validate", spec)).body["allowance"]
    assert (allowance["images_max"], allowance["limited_by_tier"]) == (500, True)
    job = await ann.post("jobs", spec)
    assert job.status == 201
    assert (await ann.get("users/profile")).body["usage"]["images_reserved"] == 1200
    assert (await ann.post(f"jobs/{job.body['id']}/cancel")).status == 200
    assert (await ann.post("jobs", {**SPEC, "max_images_per_label": 500})).status == 201
    assert (await ann.post("specs/validate", spec)).body["refusals"]


async def test_jobs_beyond_those_at_once_are_429_until_one_has_ended(ann):
    small = {**SPEC, "max_images_per_label": 10}
    first, *_ = [await ann.post("jobs", small) for _ in range(2)]
    refused = await ann.post("jobs", small)
    assert (refused.status, refused.body["limit"], refused.body["used"]) == (429, 2, 2)
    assert "resets_at" not in refused.body
    assert "Retry-After" not in refused.headers
    assert (await ann.post(f"jobs/{first.body['id']}/cancel")).status == 200
    assert (await ann.post("jobs", small)).status == 201


async def test_an_administrator_reads_what_a_user_uses(ann):
    profile = (await ann.get("users/profile")).body
    assert (await ann.post("jobs", SPEC)).status == 201
    found = await Caller(ann.app).get(f"users/{profile['id']}")
    assert (found.body["usage"]["jobs_open"], found.body["usage"]["images_reserved"]) == (1, 700)


def _rows_of_jobs(caller):
    return [row for row in rows_about(caller.app.entities, "") if row[0] == "jobs"]


async def test_a_repeated_call_is_answered_with_its_job_though_there_is_no_room(ann):
    first = await ann.post("jobs", SPEC, Idempotency_Key="k1")
    again = await ann.post("jobs", SPEC, Idempotency_Key="k1")
    assert (again.status, again.body["id"]) == (200, first.body["id"])
    stored = _rows_of_jobs(ann)
    refused = await ann.post("jobs", SPEC, Idempotency_Key="k2")
    assert refused.status == 429
    # the key of a refused call leaves no row
    assert _rows_of_jobs(ann) == stored
    assert (await ann.post(f"jobs/{first.body['id']}/cancel")).status == 200
    assert (await ann.post("jobs", SPEC, Idempotency_Key="k2")).status == 201
