"""The scope `admin` of a key ends with the administrators through whom it was given."""

from datetime import timedelta

import pytest

from shared.errors import Forbidden
from shared.storage.memory.entities import MemoryEntities
from shared.users.access import Access
from shared.users.accounts import Accounts, NewKey, NewUser, UserChange
from shared.users.audit import Actor, AuditTrail
from shared.users.caller import Caller, Scope, TierName
from shared.users.deletions import Deletions
from shared.users.store import UserStore
from shared.users.user import Status
from tests.unit.in_memory import runtime_of

ALL = frozenset(Scope)
WITHOUT_ADMIN = ALL - {Scope.ADMIN}
ROOT = "the-key-of-the-settings"


class Office:
    """Users who make keys for each other. Every call is that of the holder of a key."""

    def __init__(self, clock) -> None:
        self.clock = clock
        entities = MemoryEntities()
        users = UserStore(entities)
        self.access = Access(users, (ROOT,), clock)
        audit = AuditTrail(entities, runtime_of(clock))
        self.accounts = Accounts(users, Deletions(entities, users), self.access, audit, clock)

    async def actor(self, key: str) -> Actor:
        return Actor(await self.access.identify(key), "call")

    async def user(self, name: str) -> str:
        user, _ = await self.accounts.create(await self.actor(ROOT), NewUser(name, TierName.FREE))
        return user.id

    async def key(self, maker: str, user_id: str, scopes=ALL, **values) -> str:
        _, text = await self.accounts.add_key(
            await self.actor(maker), user_id, NewKey("key", scopes, **values)
        )
        return text

    async def revoke(self, key: str) -> None:
        caller = await self.access.identify(key)
        await self.accounts.revoke_key(await self.actor(ROOT), caller.user_id, caller.key_id)

    async def set_status(self, user_id: str, status: Status) -> None:
        await self.accounts.change(await self.actor(ROOT), user_id, UserChange(status=status))

    async def scopes(self, key: str) -> frozenset[Scope]:
        return (await self.access.identify(key)).scopes


@pytest.fixture
async def office(clock):
    return Office(clock)


async def test_a_key_of_an_administrator_who_is_disabled_allows_no_administration_to_others(office):
    ann, bob = await office.user("Ann"), await office.user("Bob")
    of_bob = await office.key(await office.key(ROOT, ann), bob)
    assert await office.scopes(of_bob) == ALL
    await office.set_status(ann, Status.DISABLED)
    assert await office.scopes(of_bob) == WITHOUT_ADMIN
    with pytest.raises(Forbidden):
        await office.key(of_bob, await office.user("Carl"))
    await office.set_status(ann, Status.ACTIVE)
    assert await office.scopes(of_bob) == ALL


async def test_an_administrator_whose_keys_are_revoked_is_none_through_others(office):
    ann, bob = await office.user("Ann"), await office.user("Bob")
    of_ann = await office.key(ROOT, ann)
    of_bob = await office.key(of_ann, bob)
    back = await office.key(of_bob, ann)
    assert await office.scopes(back) == ALL
    await office.revoke(of_ann)
    assert await office.scopes(of_bob) == await office.scopes(back) == WITHOUT_ADMIN


async def test_a_key_that_replaces_another_of_its_user_has_the_same_rights_and_the_same_end(office):
    ann, bob = await office.user("Ann"), await office.user("Bob")
    first = await office.key(await office.key(ROOT, ann), bob)
    second = await office.key(first, bob)
    await office.revoke(first)
    assert await office.scopes(second) == ALL
    await office.set_status(ann, Status.DISABLED)
    assert await office.scopes(second) == WITHOUT_ADMIN


async def test_an_administrator_may_replace_the_key_that_others_depend_on(office):
    ann, bob = await office.user("Ann"), await office.user("Bob")
    old = await office.key(ROOT, ann)
    of_bob = await office.key(old, bob)
    await office.key(old, ann)
    await office.revoke(old)
    assert await office.scopes(of_bob) == ALL


async def test_a_chain_of_administrators_ends_where_it_is_cut(office):
    keys = [ROOT]
    for number in range(6):
        keys.append(await office.key(keys[-1], await office.user(f"user {number}")))
    assert await office.scopes(keys[-1]) == ALL
    await office.revoke(keys[3])
    found = [await office.scopes(key) for key in (*keys[1:3], *keys[4:])]
    assert found == [ALL] * 2 + [WITHOUT_ADMIN] * 3


async def test_a_chain_of_more_than_twenty_administrators_is_too_long(office):
    key = ROOT
    for number in range(21):
        key = await office.key(key, await office.user(f"user {number}"))
    assert await office.scopes(key) == ALL
    too_long = await office.key(key, await office.user("the last"))
    assert await office.scopes(too_long) == WITHOUT_ADMIN


async def test_a_key_gives_no_administration_longer_than_the_keys_of_its_giver(office, clock):
    ann, bob = await office.user("Ann"), await office.user("Bob")
    soon = clock.now() + timedelta(hours=1)
    of_ann = await office.key(ROOT, ann, expires_at=soon)
    with pytest.raises(Forbidden, match="expire"):
        await office.key(of_ann, bob)
    assert Scope.ADMIN in await office.scopes(await office.key(of_ann, bob, expires_at=soon))


async def test_keys_without_administration_stay_with_their_users(office):
    ann, bob = await office.user("Ann"), await office.user("Bob")
    of_bob = await office.key(await office.key(ROOT, ann), bob, WITHOUT_ADMIN)
    await office.set_status(ann, Status.DISABLED)
    assert await office.scopes(of_bob) == WITHOUT_ADMIN
    [key] = (await office.accounts.account(bob)).keys
    assert key.granted_by == ann


async def test_a_person_who_has_signed_in_stands_behind_the_own_keys(office):
    ann = await office.user("Ann")
    actor = Actor(Caller(ann, scopes=WITHOUT_ADMIN), "call")
    key, _ = await office.accounts.add_key(actor, ann, NewKey("key", WITHOUT_ADMIN))
    assert key.granted_by == ann
