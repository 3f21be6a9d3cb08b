"""API6:2023 Unrestricted Access to Sensitive Business Flows: automation gets nobody more jobs, images or accounts.

Every job costs storage and asks services of others for images, so jobs are what a script would make too many of.
"""

import asyncio
import base64
import json

import pytest

from functions.http import endpoint
from shared.users.caller import TierName
from tests.unit.functions.http.http_calls import Caller, memory_app
from tests.unit.functions.http.owasp.people import another_key

CAT = {"keywords": ["cat"], "max_images_per_label": 10}


async def test_api6_a_call_that_is_repeated_by_a_script_makes_one_job(people):
    calls = [people.bob.calls.post("jobs", CAT, Idempotency_Key="once") for _ in range(20)]
    answers = await asyncio.gather(*calls)
    assert {answered.status for answered in answers} <= {200, 201, 409, 429, 503}
    assert len({answered.body["id"] for answered in answers if answered.status in {200, 201}}) == 1
    assert len((await people.bob.calls.get("jobs")).body["items"]) == 1


@pytest.mark.parametrize("at_once", [True, False])
async def test_api6_a_user_has_no_more_open_jobs_than_the_tier_allows_with_however_many_keys(people, at_once):
    callers = [people.bob.calls, *[await another_key(people.bob.calls, "me") for _ in range(3)]]
    calls = [callers[number % 4].post("jobs", CAT) for number in range(12)]
    answers = await asyncio.gather(*calls) if at_once else [await call for call in calls]
    made = [answered for answered in answers if answered.status == 201]
    refused = [answered for answered in answers if answered.status == 429]
    most = people.app.tiers[TierName.FREE].jobs_at_once
    assert 1 <= len(made) <= most
    assert refused
    assert {answered.body["code"] for answered in refused} == {"quota_exceeded"}
    assert len((await people.bob.calls.get("jobs")).body["items"]) == len(made)
    assert (await people.ann.calls.post("jobs", CAT)).status == 201


async def test_api6_cancelling_and_retrying_gives_no_more_open_jobs(people):
    most = people.app.tiers[TierName.FREE].jobs_at_once
    ids = []
    for _ in range(most):
        made = await people.bob.calls.post("jobs", CAT)
        ids.append(made.body["id"])
        assert (await people.bob.calls.post(f"jobs/{ids[-1]}/cancel")).status == 200
    for _ in range(most):
        assert (await people.bob.calls.post("jobs", CAT)).status == 201
    for job_id in ids:
        assert (await people.bob.calls.post(f"jobs/{job_id}/retry")).status in {409, 429}
    assert (await people.bob.calls.post("jobs", CAT)).status == 429


async def test_api6_a_job_keeps_no_more_images_than_the_tier_allows_whatever_it_asks_for(people):
    most = people.app.tiers[TierName.FREE].images_per_job
    made = await people.bob.calls.post("jobs", {"keywords": ["cat"], "max_images_per_label": 100 * most})
    stored = await people.app.job_data.jobs.require(people.bob.id, made.body["id"])
    assert stored.max_images == most
    assert (await people.bob.calls.get("users/profile")).body["usage"]["images_reserved"] == most


async def test_api6_signing_up_gives_a_free_account_and_one_only(monkeypatch):
    trusted = memory_app(app_service_sign_in=True, website_auth_enabled=True, sign_in_creates_users=True)
    monkeypatch.setattr(endpoint, "app", lambda: trusted)
    claims = [("oid", "7"), ("name", "Eve"), ("tier", "enterprise"), ("roles", "admin"), ("scopes", "admin")]
    content = {"auth_typ": "aad", "claims": [{"typ": kind, "val": value} for kind, value in claims]}
    header = base64.b64encode(json.dumps(content).encode()).decode()
    eve = Caller(trusted, "")
    profiles = await asyncio.gather(
        *(eve.get("users/profile", X_MS_CLIENT_PRINCIPAL=header) for _ in range(10))
    )
    assert {(each.body["tier"], tuple(each.body["scopes"])) for each in profiles} == {
        ("free", ("read", "submit"))
    }
    assert len({each.body["id"] for each in profiles}) == 1
    assert len((await Caller(trusted).get("users")).body["items"]) == 1
    assert (await eve.get("users", X_MS_CLIENT_PRINCIPAL=header)).status == 403
