"""Administrators read what was changed of users and keys."""

from tests.unit.functions.http.test_users import make_key, make_user, wrong_fields


async def test_the_actions_have_their_actor_their_target_and_their_outcome(caller):
    user_id = await make_user(caller)
    key_id, ann = await make_key(caller, user_id, "read", "submit")
    await make_key(ann, "me", "read")
    newest, made, first = (await caller.get("audit")).body["items"]
    assert made | {"at": "", "correlation_id": ""} == {
        "at": "",
        "actor": "admin",
        "key_id": "",
        "action": "create_key",
        "target": f"{user_id}/{key_id}",
        "detail": "scopes=read+submit",
        "outcome": "done",
        "correlation_id": "",
    }
    assert (newest["actor"], newest["key_id"]) == (user_id, key_id)
    assert (first["action"], first["target"]) == ("create_user", user_id)


async def test_the_twenty_first_key_is_recorded_as_refused(caller):
    user_id = await make_user(caller)
    for _ in range(20):
        await make_key(caller, user_id, "read")
    assert (await caller.post(f"users/{user_id}/keys", {"name": "a", "scopes": ["read"]})).status == 409
    found = (await caller.get("audit", f"user={user_id}&action=create_key&limit=100")).body["items"]
    assert [item["outcome"] for item in found] == ["refused"] + ["done"] * 20


async def test_pages_have_the_filters_of_the_first(caller):
    ann, bob = await make_user(caller), await make_user(caller)
    for user_id in (ann, bob, ann, bob):
        await make_key(caller, user_id, "read")
    query, targets = f"user={ann}&action=create_key&limit=1", []
    while query:
        page = (await caller.get("audit", query)).body
        targets += [item["target"].partition("/")[0] for item in page["items"]]
        query = (page["next"] or "").partition("?")[2]
    assert targets == [ann, ann]
    future = "since=2999-01-01T00:00:00Z"
    assert (await caller.get("audit", future)).body == {"items": [], "next": None}


async def test_wrong_filters_are_named(caller):
    answered = await caller.get("audit", "action=look&limit=0")
    assert wrong_fields(answered).keys() == {"action", "limit"}
    assert wrong_fields(await caller.get("audit", "since=yesterday")).keys() == {"since"}
    assert wrong_fields(await caller.get("audit", "cursor=~paying-00")).keys() == {"cursor"}
