"""Every user with another tier than free is in the list of those who may pay, whenever a process was killed."""

from dataclasses import replace

import pytest

from shared.storage.memory.entities import MemoryEntities
from shared.users.caller import TierName
from shared.users.metrics.paying import listed_users
from shared.users.metrics.shards import SHARDS
from shared.users.store import UserStore
from shared.users.user import User
from tests.unit.users.metrics.mortal_store import KilledError, MortalStore


@pytest.fixture
def entities():
    return MemoryEntities()


@pytest.fixture
def ann(clock):
    return User("ann", "Ann", TierName.FREE, clock.now())


async def listed(entities):
    return [user_id for shard in range(SHARDS) async for user_id in listed_users(entities, shard, "")]


async def test_a_free_user_is_not_listed_until_the_tier_changes(entities, ann):
    users = UserStore(entities)
    await users.create(ann)
    assert await listed(entities) == []
    await users.change("ann", lambda user: replace(user, tier=TierName.PRO))
    assert await listed(entities) == ["ann"]
    await users.erase(ann)
    assert await listed(entities) == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", ["create", "change", "erase"])
async def test_a_kill_leaves_nobody_with_a_tier_unlisted_or_deletes_them_next(ann, step, after):
    pro = replace(ann, tier=TierName.PRO)
    dies_at, killed = 0, True
    while killed:
        entities = MemoryEntities()
        if step != "create":
            await UserStore(entities).create(pro if step == "erase" else ann)
        mortal = UserStore(MortalStore(entities, dies_at, after=after))
        actions = {
            "create": lambda users=mortal: users.create(pro),
            "change": lambda users=mortal: users.change("ann", lambda _: pro),
            "erase": lambda users=mortal: users.erase(pro),
        }
        try:
            await actions[step]()
            killed = False
        except KilledError:
            dies_at += 1
        user = await UserStore(entities).get("ann")
        if step != "erase" and user is not None and user.tier is TierName.PRO:
            assert await listed(entities) == ["ann"]
    assert dies_at > 1
