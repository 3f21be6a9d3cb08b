"""A key that another instance has revoked a moment ago makes nothing that would outlast it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from shared.errors import Forbidden, Unauthenticated
from shared.storage.memory.entities import MemoryEntities
from shared.users.access import Access
from shared.users.accounts import Accounts, NewKey, NewUser, UserChange
from shared.users.audit import Actor, AuditFilter, AuditTrail
from shared.users.caller import Caller, Scope, TierName
from shared.users.deletions import Deletions
from shared.users.store import UserStore
from shared.users.user import Status
from tests.unit.in_memory import runtime_of
from tests.unit.users.conftest import ManualClock

ALL = frozenset(Scope)
ROOT = Actor(Caller.admin(), "root")


@dataclass(frozen=True)
class Instance:
    """One instance of the app, which remembers users for 15 seconds."""

    access: Access
    accounts: Accounts
    audit: AuditTrail

    async def actor(self, key: str) -> Actor:
        # the first call notes the use of the key, and the second one remembers the user
        await self.access.identify(key)
        return Actor(await self.access.identify(key), "call")


type Attempt = Callable[[Instance, Actor, str, str], Awaitable[object]]


async def _make_key(it: Instance, actor: Actor, own_id: str, _: str) -> object:
    return await it.accounts.add_key(actor, own_id, NewKey("another", ALL))


async def _make_key_for_another(it: Instance, actor: Actor, _: str, other_id: str) -> object:
    return await it.accounts.add_key(actor, other_id, NewKey("another", ALL))


async def _make_user(it: Instance, actor: Actor, *_: str) -> object:
    return await it.accounts.create(actor, NewUser("Eve", TierName.ENTERPRISE))


async def _enable_oneself(it: Instance, actor: Actor, own_id: str, _: str) -> object:
    return await it.accounts.change(actor, own_id, UserChange(status=Status.ACTIVE))


async def _delete_another(it: Instance, actor: Actor, _: str, other_id: str) -> object:
    return await it.accounts.delete(actor, other_id, keeps_datasets=True)


ATTEMPTS = (_make_key, _make_key_for_another, _make_user, _enable_oneself, _delete_another)


@pytest.fixture
def instances(clock) -> tuple[Instance, Instance]:
    entities = MemoryEntities()

    def make() -> Instance:
        users = UserStore(entities)
        access, audit = Access(users, (), clock), AuditTrail(entities, runtime_of(clock))
        return Instance(access, Accounts(users, Deletions(entities, users), access, audit, clock), audit)

    return make(), make()


async def _join(it: Instance, maker: Actor, name: str) -> tuple[str, str, str]:
    """Makes a user with a key that may administer; returns the ids of both, and the key."""
    user, _ = await it.accounts.create(ROOT, NewUser(name, TierName.FREE))
    key, text = await it.accounts.add_key(maker, user.id, NewKey("key", ALL))
    return user.id, key.id, text


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("ends", ["revoked", "disabled"])
async def test_a_key_that_ended_elsewhere_a_moment_ago_changes_nothing(
    instances: tuple[Instance, Instance], attempt: Attempt, ends: str
) -> None:
    one, two = instances
    ann, key_id, text = await _join(one, ROOT, "Ann")
    bob, _, _ = await _join(one, ROOT, "Bob")
    eve = await two.actor(text)
    if ends == "revoked":
        await one.accounts.revoke_key(ROOT, ann, key_id)
    else:
        await one.accounts.change(ROOT, ann, UserChange(status=Status.DISABLED))
    recorded = len((await one.audit.page("", 100, AuditFilter())).items)
    # the other instance still admits the key
    assert (await two.actor(text)).caller.scopes == ALL
    with pytest.raises(Unauthenticated):
        await attempt(two, eve, ann, bob)
    assert len((await one.audit.page("", 100, AuditFilter())).items) == recorded
    with pytest.raises(Unauthenticated):
        await two.actor(text)


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_an_administrator_who_was_made_by_one_who_is_disabled_changes_nothing_from_then_on(
    instances: tuple[Instance, Instance], attempt: Attempt
) -> None:
    one, two = instances
    ann, _, of_ann = await _join(one, ROOT, "Ann")
    bob, _, of_bob = await _join(one, await one.actor(of_ann), "Bob")
    eve = await two.actor(of_bob)
    await one.accounts.change(ROOT, ann, UserChange(status=Status.DISABLED))
    assert (await two.actor(of_bob)).caller.scopes == ALL
    with pytest.raises(Forbidden, match="administration any more"):
        await attempt(two, eve, bob, ann)
    assert (await two.actor(of_bob)).caller.scopes == ALL - {Scope.ADMIN}


async def test_a_key_changes_what_its_scopes_allow_until_its_user_is_disabled(
    instances: tuple[Instance, Instance],
) -> None:
    one, two = instances
    _, _, text = await _join(one, ROOT, "Ann")
    actor = await two.actor(text)
    user, _ = await two.accounts.create(actor, NewUser("Bob", TierName.FREE))
    await two.accounts.add_key(actor, user.id, NewKey("key", ALL))
    await two.accounts.change(actor, actor.caller.user_id, UserChange(status=Status.DISABLED))
    with pytest.raises(Unauthenticated):
        await two.accounts.change(actor, actor.caller.user_id, UserChange(status=Status.ACTIVE))


async def test_another_instance_knows_after_fifteen_seconds_that_an_administrator_has_fallen(
    instances: tuple[Instance, Instance], clock: ManualClock
) -> None:
    one, two = instances
    ann, _, of_ann = await _join(one, ROOT, "Ann")
    _, _, of_bob = await _join(one, await one.actor(of_ann), "Bob")
    assert (await two.actor(of_bob)).caller.scopes == ALL
    await one.accounts.change(ROOT, ann, UserChange(status=Status.DISABLED))
    clock.advance(15)
    assert (await two.actor(of_bob)).caller.scopes == ALL - {Scope.ADMIN}
