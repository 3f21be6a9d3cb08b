"""Users and keys over HTTP: administrators manage all of them, and users their own keys."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.telemetry.recording import RecordingTelemetry
from shared.users.audit import AuditFilter, Outcome
from tests.unit.functions.http.http_calls import KEY, Answered, Caller

NO_SUCH_USER = "0000000000000000"


async def make_user(caller: Caller, **fields: object) -> str:
    answered = await caller.post("users", {"name": "Ann", **fields})
    assert answered.status == 201, answered.body
    return str(answered.body["id"])


async def make_key(caller: Caller, user_id: str, *scopes: str) -> tuple[str, Caller]:
    """Make a key; returns its id, and a caller who has it."""
    answered = await caller.post(f"users/{user_id}/keys", {"name": "laptop", "scopes": list(scopes)})
    assert answered.status == 201, answered.body
    return answered.body["id"], Caller(caller.app, answered.body["key"])


async def recorded(caller: Caller) -> list[tuple[str, str, str, str]]:
    """The actions in the audit trail that were carried out, the oldest first."""
    found = (await caller.app.audit.page("", 100, AuditFilter())).items
    done = [item for item in reversed(found) if item.outcome is Outcome.DONE]
    return [(item.actor, item.action, item.target, item.detail) for item in done]


def wrong_fields(answered: Answered) -> dict[str, str]:
    assert answered.status == 400
    return dict(answered.errors)


async def test_users_are_listed_newest_first_in_pages(caller):
    made = [await make_user(caller, name=f"user {number}") for number in range(3)]
    first = await caller.get("users", "limit=2")
    assert [user["id"] for user in first.body["items"]] == made[:0:-1]
    rest = await caller.get("users", first.body["next"].partition("?")[2])
    assert ([user["id"] for user in rest.body["items"]], rest.body["next"]) == (made[:1], None)


async def test_a_changed_tier_and_status_count_at_once(caller):
    user_id = await make_user(caller)
    _, ann = await make_key(caller, user_id, "read")
    assert (await ann.get("users/profile")).body["tier"] == "free"
    assert (await caller.patch(f"users/{user_id}", {"tier": "enterprise"})).body["tier"] == "enterprise"
    assert (await ann.get("users/profile")).body["tier"] == "enterprise"
    assert (await caller.patch(f"users/{user_id}", {"status": "disabled"})).body["status"] == "disabled"
    assert (await ann.get("users/profile")).status == 401
    assert (await caller.post(f"users/{user_id}/keys", {"name": "a", "scopes": ["read"]})).status == 409
    await caller.patch(f"users/{user_id}", {"status": "active"})
    assert (await ann.get("users/profile")).status == 200


async def test_the_text_of_a_key_is_shown_once(caller):
    user_id = await make_user(caller)
    key_id, ann = await make_key(caller, user_id, "read")
    [listed] = (await ann.get("users/me/keys")).body["items"]
    assert listed["prefix"] == f"pxc_{user_id}{key_id}" == ann.key[: len(listed["prefix"])]
    assert "key" not in listed
    assert ann.key.rpartition("_")[2] not in (await ann.get(f"users/{user_id}/keys")).text


async def test_a_revoked_key_is_refused_at_once(caller):
    user_id = await make_user(caller)
    key_id, ann = await make_key(caller, user_id, "read", "submit")
    revoked = await ann.delete(f"users/me/keys/{key_id}")
    assert (revoked.status, revoked.body["id"]) == (200, key_id)
    assert (await ann.get("users/profile")).status == 401
    assert (await caller.delete(f"users/{user_id}/keys/{key_id}")).status == 404


@pytest.mark.parametrize("scopes", [["admin"], ["read", "admin"], ["read"]])
async def test_a_key_is_neither_made_nor_revoked_with_scopes_that_the_caller_lacks(caller, scopes):
    user_id = await make_user(caller)
    strong, _ = await make_key(caller, user_id, *scopes)
    _, ann = await make_key(caller, user_id, "submit")
    made = await ann.post("users/me/keys", {"name": "more", "scopes": scopes})
    revoked = await ann.delete(f"users/me/keys/{strong}")
    assert (made.status, revoked.status) == (403, 403)
    assert len((await caller.get(f"users/{user_id}/keys")).body["items"]) == 2


async def test_a_key_makes_no_keys_that_expire_after_itself(app, caller):
    user_id = await make_user(caller)
    soon, later = (app.clock.now() + timedelta(days=days) for days in (1, 2))
    body = {"name": "a", "scopes": ["submit"], "expires_at": soon.isoformat()}
    made = await caller.post(f"users/{user_id}/keys", body)
    ann = Caller(app, made.body["key"])
    moments = [soon.isoformat(), later.isoformat(), None]
    tried = [await ann.post("users/me/keys", {**body, "expires_at": moment}) for moment in moments]
    assert [answered.status for answered in tried] == [201, 403, 403]


async def test_a_user_has_at_most_twenty_keys(caller):
    user_id = await make_user(caller)
    for _ in range(20):
        await make_key(caller, user_id, "read")
    assert (await caller.post(f"users/{user_id}/keys", {"name": "a", "scopes": ["read"]})).status == 409


async def test_a_key_expires_when_it_was_asked_to(app, caller):
    user_id = await make_user(caller)
    soon = (app.clock.now() + timedelta(days=1)).astimezone(UTC)
    body = {"name": "a", "scopes": ["read"], "expires_at": soon.isoformat()}
    made = await caller.post(f"users/{user_id}/keys", body)
    assert datetime.fromisoformat(made.body["expires_at"]) == soon
    past = {**body, "expires_at": "2020-01-01T00:00:00Z"}
    wrong = wrong_fields(await caller.post(f"users/{user_id}/keys", past))
    assert wrong == {"expires_at": "must be in the future"}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"name": "is missing", "scopes": "is missing"}),
        ({"name": " ", "scopes": []}, {"name": "must not be empty", "scopes": "must have 1 or more items"}),
        ({"name": "a", "scopes": ["all"]}, {"scopes.0": "must be 'read', 'submit' or 'admin'"}),
        ({"name": "a", "scopes": ["read"], "user": "b"}, {"user": "is not a known field"}),
        *(
            (
                {"name": "a", "scopes": ["read"], "expires_at": moment},
                {"expires_at": "must be a time with an offset from UTC, such as 2027-01-31T00:00:00Z"},
            )
            for moment in (1, "soon", "2027-01-31", "2027-01-31T00:00:00", "9999-12-31T23:59:59-01:00")
        ),
    ],
)
async def test_every_wrong_field_of_a_key_is_named(caller, body, wrong):
    user_id = await make_user(caller)
    assert wrong_fields(await caller.post(f"users/{user_id}/keys", body)) == wrong


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"tier": "gold"}, {"tier"}),
        ({"status": "deleting"}, {"status"}),
        ({"name": ""}, {"name"}),
        ({"id": "me"}, {"id"}),
        ({}, {""}),
        ({"name": None}, {""}),
        ([], {""}),
    ],
)
async def test_a_change_that_is_not_valid_changes_nothing(caller, body, fields):
    user_id = await make_user(caller)
    assert wrong_fields(await caller.patch(f"users/{user_id}", body)).keys() == fields
    assert (await caller.get(f"users/{user_id}")).body["tier"] == "free"


async def test_a_person_gets_one_user(caller):
    identity = {"provider": "aad", "subject": "42"}
    user_id = await make_user(caller, identity=identity)
    assert (await caller.get(f"users/{user_id}")).body["identity"] == "aad|42"
    again = await caller.post("users", {"name": "Ann", "identity": identity})
    assert again.status == 409
    assert user_id in again.body["detail"]


@pytest.mark.parametrize("choice", ["keep", "delete"])
async def test_a_user_who_is_to_be_deleted_cannot_call_from_then_on(app, caller, choice):
    user_id = await make_user(caller)
    _, ann = await make_key(caller, user_id, "read", "submit")
    answered = await caller.delete(f"users/{user_id}", f"datasets={choice}")
    assert (answered.status, answered.body["status"]) == (202, "deleting")
    assert (await ann.get("users/profile")).status == 401
    assert (await caller.patch(f"users/{user_id}", {"status": "active"})).status == 409
    assert (await caller.delete(f"users/{user_id}", f"datasets={choice}")).status == 202
    other = {"keep": "delete", "delete": "keep"}[choice]
    assert (await caller.delete(f"users/{user_id}", f"datasets={other}")).status == 409
    assert ("admin", "delete_user", user_id, f"datasets={choice}") in await recorded(caller)
    assert [user.keeps_datasets async for user, _ in app.deletions.pending(app.clock.now())] == [
        choice == "keep"
    ]


@pytest.mark.parametrize("query", ["", "datasets=", "datasets=all"])
async def test_a_deletion_says_what_becomes_of_the_datasets(caller, query):
    user_id = await make_user(caller)
    assert wrong_fields(await caller.delete(f"users/{user_id}", query)).keys() == {"datasets"}
    assert (await caller.get(f"users/{user_id}")).body["status"] == "active"


async def test_each_change_is_recorded_with_its_actor(caller):
    user_id = await make_user(caller)
    await caller.patch(f"users/{user_id}", {"tier": "pro", "name": "Anna"})
    key_id, ann = await make_key(caller, user_id, "read", "submit")
    own_id, _ = await make_key(ann, "me", "read")
    await ann.delete(f"users/me/keys/{key_id}")
    assert await recorded(caller) == [
        ("admin", "create_user", user_id, "tier=free"),
        ("admin", "change_user", user_id, "tier=pro, name"),
        ("admin", "create_key", f"{user_id}/{key_id}", "scopes=read+submit"),
        (user_id, "create_key", f"{user_id}/{own_id}", "scopes=read"),
        (user_id, "revoke_key", f"{user_id}/{key_id}", ""),
    ]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"users/{NO_SUCH_USER}", b""),
        ("PATCH", f"users/{NO_SUCH_USER}", b'{"tier": "pro"}'),
        ("GET", f"users/{NO_SUCH_USER}/keys", b""),
        ("POST", f"users/{NO_SUCH_USER}/keys", b'{"name": "a", "scopes": ["read"]}'),
        ("DELETE", f"users/{NO_SUCH_USER}/keys/000000", b""),
        ("POST", "users/me/keys", b'{"name": "a", "scopes": ["read"]}'),
        ("GET", "users/~users", b""),
    ],
)
async def test_a_user_who_does_not_exist_is_not_found_and_not_recorded(caller, method, path, body):
    assert (await caller.call(method, path, "", body, {})).status == 404
    assert await recorded(caller) == []


async def test_an_action_is_reported_with_the_tier_of_its_user(app, caller):
    vars(app)["telemetry"] = telemetry = RecordingTelemetry()
    user_id = await make_user(caller, tier="pro")
    _, ann = await make_key(caller, user_id, "submit")
    for each in (ann, Caller(app, KEY)):
        assert (await each.post("jobs", {"keywords": ["cat"]})).status == 201
    found = [item.properties for item in telemetry.named("user_action")]
    assert [(each["user_id"], each["user_tier"]) for each in found] == [(user_id, "pro"), ("admin", "admin")]


async def test_a_key_that_was_used_just_now_costs_no_read_of_storage(app, caller, monkeypatch):
    _, ann = await make_key(caller, await make_user(caller), "read")
    read: list[str] = []

    def counted(method):
        def count(table, *arguments, **named):
            read.append(table)
            return method(table, *arguments, **named)

        return count

    # the first call reads the user and notes the use, the second reads the user with the use
    for _ in range(2):
        await ann.get("jobs")
    for name in ("get", "query", "apply"):
        monkeypatch.setattr(app.entities, name, counted(getattr(app.entities, name)))
    assert (await ann.get("jobs")).status == 200
    assert set(read) == {"jobs"}
