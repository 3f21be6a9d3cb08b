"""Users and keys are made once, however often a call is sent with the same Idempotency-Key."""

import asyncio
from dataclasses import replace

import pytest

from shared.users.user import Status
from tests.unit.functions.http.http_calls import Caller
from tests.unit.functions.http.test_users import make_key, make_user, wrong_fields

ANN = {"name": "Ann", "tier": "pro"}
LAPTOP = {"name": "laptop", "scopes": ["read"]}


async def outcomes(caller: Caller, action: str) -> list[str]:
    """The outcomes of an action, the oldest first."""
    found = (await caller.get("audit", f"action={action}")).body["items"]
    return [item["outcome"] for item in reversed(found)]


async def test_a_repeated_call_answers_the_same_user(caller):
    first = await caller.post("users", ANN, Idempotency_Key="order 7")
    path = f"users/{first.body['id']}"
    await caller.patch(path, {"tier": "free"})
    again = await caller.post("users", ANN, Idempotency_Key="order 7")
    assert (first.status, "Idempotency-Replayed" in first.headers) == (201, False)
    assert (again.status, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.headers["Location"] == first.headers["Location"] == f"/api/v1/{path}"
    assert again.body == first.body | {"tier": "free"}
    assert len((await caller.get("users")).body["items"]) == 1
    assert await outcomes(caller, "create_user") == ["done", "repeated"]


async def test_calls_at_the_same_time_make_one_user_and_one_key(caller):
    made = await asyncio.gather(*(caller.post("users", ANN, Idempotency_Key="order 7") for _ in range(9)))
    assert sorted(answered.status for answered in made) == [200] * 8 + [201]
    [user] = (await caller.get("users")).body["items"]
    path = f"users/{user['id']}/keys"
    keys = await asyncio.gather(*(caller.post(path, LAPTOP, Idempotency_Key="order 7") for _ in range(9)))
    assert sorted(answered.status for answered in keys) == [201] + [409] * 8
    assert len((await caller.get(path)).body["items"]) == 1


async def test_a_key_of_one_call_is_refused_for_other_values(caller):
    user_id = (await caller.post("users", ANN, Idempotency_Key="order 7")).body["id"]
    other = await caller.post("users", {**ANN, "name": "Bob"}, Idempotency_Key="order 7")
    assert (other.status, other.body["detail"]) == (409, "The Idempotency-Key was used with another body.")
    path = f"users/{user_id}/keys"
    await caller.post(path, LAPTOP, Idempotency_Key="order 7")
    other = await caller.post(path, {**LAPTOP, "scopes": ["submit"]}, Idempotency_Key="order 7")
    assert (other.status, other.body.get("existing_id")) == (409, None)
    assert await outcomes(caller, "create_key") == ["done", "refused"]


async def test_a_repeated_call_names_the_key_whose_text_cannot_be_shown_again(caller):
    path = f"users/{await make_user(caller)}/keys"
    first = await caller.post(path, LAPTOP, Idempotency_Key="order 7")
    again = await caller.post(path, LAPTOP, Idempotency_Key="order 7")
    assert (again.status, again.body["code"]) == (409, "conflict")
    assert again.body["existing_id"] == first.body["id"]
    assert first.body["key"] not in again.text
    assert await outcomes(caller, "create_key") == ["done", "repeated"]
    # the way on that the answer describes
    assert (await caller.delete(f"{path}/{again.body['existing_id']}")).status == 200
    third = await caller.post(path, LAPTOP, Idempotency_Key="order 7")
    assert third.status == 201
    assert third.body["id"] != first.body["id"]


async def test_a_repetition_is_recognised_though_the_user_has_twenty_keys_by_now(caller):
    user_id = await make_user(caller)
    first = await caller.post(f"users/{user_id}/keys", LAPTOP, Idempotency_Key="order 7")
    for _ in range(19):
        await make_key(caller, user_id, "read")
    again = await caller.post(f"users/{user_id}/keys", LAPTOP, Idempotency_Key="order 7")
    assert again.body["existing_id"] == first.body["id"]


async def test_the_keys_of_two_callers_are_two_keys(caller):
    user_id = await make_user(caller)
    _, ann = await make_key(caller, user_id, "submit", "read")
    made = [await each.post(f"users/{user_id}/keys", LAPTOP, Idempotency_Key="1") for each in (ann, caller)]
    assert [answered.status for answered in made] == [201, 201]


async def test_a_person_gets_the_same_user_only_from_the_same_call(caller):
    body = {**ANN, "identity": {"provider": "aad", "subject": "42"}}
    made = [await caller.post("users", body, Idempotency_Key=key) for key in ("1", "1", "2")]
    assert [answered.status for answered in made] == [201, 200, 409]


async def test_a_call_of_a_deleted_user_makes_another_user_who_does_not_get_what_is_left(app, caller):
    first = (await caller.post("users", ANN, Idempotency_Key="order 7")).body["id"]
    await caller.delete(f"users/{first}", "datasets=keep")
    marked = replace(await app.users.require(first), status=Status.DELETING)
    await app.deletions.finish(marked)
    again = await caller.post("users", ANN, Idempotency_Key="order 7")
    assert again.status == 201
    assert again.body["id"] != first


@pytest.mark.parametrize("key", ["", "é", "x" * 256])
async def test_an_idempotency_key_of_no_valid_form_is_refused(caller, key):
    user_id = await make_user(caller)
    for path, body in (("users", ANN), (f"users/{user_id}/keys", LAPTOP)):
        assert wrong_fields(await caller.post(path, body, Idempotency_Key=key)).keys() == {"Idempotency-Key"}
