"""API5:2023 Broken Function Level Authorization: what a key may do is checked for each function, by its scope."""

import re

import pytest

from shared.users.caller import Scope
from tests.unit.functions.http.http_calls import DECLARED, short
from tests.unit.functions.http.owasp.people import another_key, join

OF_ADMINISTRATORS = [name for name, declared in DECLARED.items() if declared.scope is Scope.ADMIN]
# a spec is the body of its call, which only reads
CHANGES = [
    name for name, declared in DECLARED.items() if declared.method != "GET" and name != "validate_spec"
]
BODIES = {"PATCH": b'{"tier": "enterprise"}', "POST": b'{"name": "Eve", "tier": "enterprise"}'}


@pytest.mark.parametrize("name", OF_ADMINISTRATORS)
async def test_api5_a_users_key_administers_nothing_not_even_the_user(people, name):
    declared = DECLARED[name]
    for user_id in ("me", people.bob.id, people.ann.id, "admin"):
        path = re.sub(r"\{\w+\}", user_id, short(declared.path))
        query = "datasets=delete" if declared.method == "DELETE" else ""
        body = BODIES.get(declared.method, b"")
        answered = await people.bob.calls.call(declared.method, path, query, body, {})
        assert answered.status in {403, 404}
    users = (await people.admin.get("users")).body["items"]
    assert {(user["name"], user["tier"], user["status"]) for user in users} == {
        ("Ann", "free", "active"),
        ("Bob", "free", "active"),
    }


def test_api5_no_call_that_changes_anything_is_public_or_needs_only_the_scope_read():
    assert {DECLARED[name].scope for name in CHANGES} == {Scope.SUBMIT, Scope.ADMIN}


async def test_api5_a_key_makes_no_key_that_may_do_more(people):
    for scopes in (["admin"], ["read", "submit", "admin"]):
        answered = await people.bob.calls.post("users/me/keys", {"name": "more", "scopes": scopes})
        assert (answered.status, answered.body["code"]) == (403, "forbidden")
    submits = await another_key(people.bob.calls, "me", "submit")
    assert (await submits.post("users/me/keys", {"name": "more", "scopes": ["read"]})).status == 403
    reads = await another_key(people.bob.calls, "me", "read")
    assert (await reads.post("users/me/keys", {"name": "more", "scopes": ["read"]})).status == 403


async def test_api5_a_key_revokes_no_key_that_may_do_more(people):
    carl = await join(people.admin, "Carl", "admin", "read", "submit")
    [strong] = (await people.app.accounts.account(carl.id)).keys
    weak = await another_key(carl.calls, "me", "submit")
    assert (await weak.delete(f"users/me/keys/{strong.id}")).status == 403
    assert (await carl.calls.get("users")).status == 200


@pytest.mark.parametrize(
    "header",
    ["X_HTTP_Method_Override", "X_HTTP_Method", "X_Method_Override", "X_Original_URL", "X_Rewrite_URL"],
)
async def test_api5_no_header_makes_another_call_of_a_call(people, job, header):
    reads = await another_key(people.ann.calls, "me", "read")
    for value in ("DELETE", "POST", "/api/v1/users"):
        answered = await reads.get(f"jobs/{job}", **{header: value})
        assert (answered.status, answered.body["id"], answered.body["state"]) == (200, job, "queued")
