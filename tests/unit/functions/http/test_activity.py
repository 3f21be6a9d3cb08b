"""Which calls make a user active: those that use the product, and not those that only look."""

import pytest

from shared.errors import Unavailable
from shared.users.caller import TierName
from shared.users.metrics.activity import active_users, day_of
from shared.users.metrics.shards import SHARDS
from shared.users.user import User
from tests.unit.functions.http.http_calls import Caller

SPEC = {"keywords": ["cat"]}


@pytest.fixture
async def ann(app):
    """A user's caller, by a key of her own."""
    user = await app.users.create(User("0123456789abcdef", "Ann", TierName.FREE, app.clock.now()))
    return Caller(app, key=await key_of(app, user.id))


async def key_of(app, user_id):
    created = await Caller(app).post(f"users/{user_id}/keys", {"name": "k", "scopes": ["read", "submit"]})
    return created.body["key"]


async def active(app):
    today = day_of(app.clock.now())
    return [
        user_id for shard in range(SHARDS) async for user_id in active_users(app.entities, today, shard, "")
    ]


async def test_a_user_who_only_looks_is_not_active(app, ann):
    for path in ("jobs", "datasets", "users/profile"):
        assert (await ann.get(path)).status == 200
    assert await active(app) == []


async def test_a_user_who_submits_or_cancels_is_active(app, ann):
    submitted = await ann.post("jobs", SPEC)
    assert submitted.status == 201
    assert await active(app) == ["0123456789abcdef"]
    await app.entities.erase("activity", "~days")
    assert (await ann.post(f"jobs/{submitted.body['id']}/cancel")).status == 200
    assert await active(app) == ["0123456789abcdef"]


async def test_a_user_who_stores_a_list_is_active(app, ann):
    assert (await ann.post("lists", b"", "upload=true&format=csv")).status == 201
    assert await active(app) == ["0123456789abcdef"]


async def test_a_refused_call_makes_nobody_active(app, ann):
    assert (await ann.post("jobs", {"keywords": []})).status == 400
    assert await active(app) == []


async def test_the_administrator_is_no_user_and_not_active(app, caller):
    assert (await caller.post("jobs", SPEC)).status == 201
    assert await active(app) == []


async def test_a_call_succeeds_although_its_activity_cannot_be_stored(monkeypatch, app, ann):
    apply = app.entities.apply

    async def without_activity(table, partition, changes):
        if table == "activity":
            raise Unavailable("no answer")
        return await apply(table, partition, changes)

    monkeypatch.setattr(app.entities, "apply", without_activity)
    assert (await ann.post("jobs", SPEC)).status == 201
    assert await active(app) == []
