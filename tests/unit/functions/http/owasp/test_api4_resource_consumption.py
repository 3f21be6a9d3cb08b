"""API4:2023 Unrestricted Resource Consumption: every call, body, list and user has a limit."""

import asyncio

import pytest

from functions.http.declared import PAGE
from shared.jobs.spec.spec import MAX_SPEC_BYTES
from tests.unit.functions.http.http_calls import DECLARED, Caller
from tests.unit.functions.http.owasp.people import another_key

URL = "https://images.example/1.jpg"
TOO_MUCH = {
    "a body too large": b'{"keywords": ["' + b"x" * MAX_SPEC_BYTES + b'"]}',
    "nested without end": b"[" * 100_000,
    "a number too long": b'{"seed": ' + b"9" * 100_000 + b"}",
    "too many labels": {"keywords": [f"cat {number}" for number in range(1001)]},
    "a keyword too long": {"keywords": ["x" * 100_000]},
    "too many sources": {"keywords": ["cat"], "sources": [{"type": "openverse"}] * 51},
    "too many items": {"sources": [{"type": "urls", "items": [URL] * 5_000}] * 50},
    "too many images": {"keywords": ["cat"], "max_images_per_label": 10**12},
    "bytes without end": {"keywords": ["cat"], "filters": {"max_bytes": 10**15}},
    "pixels without end": {"keywords": ["cat"], "transform": {"width": 10**9, "height": 10**9}},
}


@pytest.mark.parametrize("name", TOO_MUCH)
async def test_api4_a_spec_that_asks_for_too_much_is_refused_at_once(people, name):
    async with asyncio.timeout(10):
        answered = await people.bob.calls.post("jobs", TOO_MUCH[name])
    assert answered.status == 400, answered.body
    assert len(answered.text) < 20_000


@pytest.mark.parametrize("name", [name for name, declared in DECLARED.items() if declared.body])
async def test_api4_every_body_has_the_same_largest_size(people, name):
    declared = DECLARED[name]
    path = declared.path.removeprefix("api/v1/").replace("{id}", people.ann.id)
    body = b'{"name": "' + b"x" * MAX_SPEC_BYTES + b'"}'
    answered = await people.admin.call(declared.method, path, "", body, {})
    assert (answered.status, answered.body["code"]) == (400, "invalid_request")
    assert f"{MAX_SPEC_BYTES:,}" in answered.body["detail"]


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1e9", "\uff19", "9" * 5000])
@pytest.mark.parametrize("name", [name for name, declared in DECLARED.items() if "limit" in declared.query])
async def test_api4_no_page_of_a_list_has_more_than_a_hundred_entries(people, name, limit):
    assert DECLARED[name].query["limit"].schema["maximum"] <= PAGE["limit"].schema["maximum"] == 100
    path = DECLARED[name].path.removeprefix("api/v1/").replace("{id}", people.ann.id)
    assert (await people.admin.get(path, f"limit={limit}")).status == 400


async def test_api4_a_query_of_very_many_parameters_is_refused(people):
    query = "&".join(f"p{number}=1" for number in range(10_000))
    answered = await people.bob.calls.get("jobs", query)
    assert answered.status == 400
    assert len(answered.text) < 2_000


async def test_api4_a_user_has_at_most_twenty_keys_however_many_are_asked_for_at_once(people):
    body = {"name": "more", "scopes": ["read"]}
    made = await asyncio.gather(*(people.bob.calls.post("users/me/keys", body) for _ in range(30)))
    assert {answered.status for answered in made} <= {201, 409, 503}
    assert len((await people.app.accounts.account(people.bob.id)).keys) <= 20


async def test_api4_a_user_is_limited_whatever_the_key_and_a_stranger_whatever_the_header(people):
    second = await another_key(people.bob.calls, "me")
    limit = people.app.tiers["free"].requests_per_minute
    callers = (people.bob.calls, second)
    answers = [(await callers[number % 2].get("users/me/keys")) for number in range(limit + 10)]
    refused = [answered for answered in answers if answered.status == 429]
    assert refused
    assert refused[-1].body["code"] == "rate_limited"
    assert int(refused[-1].headers["Retry-After"]) >= 1
    assert (await people.ann.calls.get("users/me/keys")).status == 200
    statuses = {
        (
            await Caller(people.app, f"wrong-{number}").get(
                "jobs", X_Forwarded_For=f"{number}.1.1.1, 203.0.113.9"
            )
        ).status
        for number in range(300)
    }
    assert statuses == {401, 429}
