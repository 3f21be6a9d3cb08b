import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Unauthenticated, Unavailable
from shared.storage.memory.entities import MemoryEntities
from shared.users.access import Access
from shared.users.api_keys import ApiKey, read_key, write_key
from shared.users.caller import ADMIN, Scope, TierName
from shared.users.store import UserStore
from shared.users.user import Status, User
from tests.expect import present

ID, KEY = "0123456789abcdef", "key001"
TEXT = write_key(ID, KEY, b"\x07" * 32)


class CountingEntities(MemoryEntities):
    """Counts queries, and fails them on demand."""

    queries = 0
    fails = False

    def query(self, table, partition, *, after="", before=""):
        self.queries += 1
        if self.fails:
            raise Unavailable("Storage does not answer.")
        return super().query(table, partition, after=after, before=before)


@pytest.fixture
def entities():
    return CountingEntities()


@pytest.fixture
async def users(entities, clock):
    users = UserStore(entities)
    await users.create(User(ID, "Ann", TierName.PRO, clock.now()))
    await users.add_key(ID, stored_key(clock))
    entities.queries = 0
    return users


@pytest.fixture
def access(users, clock):
    return Access(users, ("first", "second"), clock)


def stored_key(clock, **changes):
    key = ApiKey(KEY, "Key", frozenset({Scope.READ}), present(read_key(TEXT)).digest, clock.now())
    return replace(key, **changes)


async def test_a_key_opens_what_its_scopes_say(access):
    caller = await access.identify(TEXT)
    assert (caller.user_id, caller.tier, caller.scopes) == (ID, TierName.PRO, {Scope.READ})


@pytest.mark.parametrize("key", ["first", "second"])
async def test_both_keys_of_the_settings_are_the_admins(access, entities, key):
    caller = await access.identify(key)
    assert (caller.user_id, caller.scopes) == (ADMIN, set(Scope))
    assert entities.queries == 0


@pytest.mark.parametrize("key", [None, "", "third", "firs", "first ", TEXT[:-1] + "~", "pxc_", "\udcff", "é"])
async def test_a_key_of_no_valid_form_is_refused_without_a_read(access, entities, key):
    with pytest.raises(Unauthenticated):
        await access.identify(key)
    assert entities.queries == 0


@pytest.mark.parametrize(
    "key",
    [
        write_key(ID, KEY, bytes(32)),
        write_key(ID, "key002", b"\x07" * 32),
        write_key("0" * 16, KEY, bytes(32)),
    ],
)
async def test_a_key_that_nobody_holds_is_refused(access, key):
    with pytest.raises(Unauthenticated):
        await access.identify(key)


async def test_an_app_without_keys_in_its_settings_has_no_admin(users, clock):
    access = Access(users, (), clock)
    for key in ("", "first", "None"):
        with pytest.raises(Unauthenticated):
            await access.identify(key)


async def test_a_key_opens_nothing_once_it_has_expired(access, users, clock):
    await users.revoke_key(ID, KEY)
    await users.add_key(ID, stored_key(clock, expires_at=clock.now() + timedelta(hours=1)))
    assert await access.identify(TEXT)
    clock.advance(3600)
    with pytest.raises(Unauthenticated):
        await access.identify(TEXT)


async def test_a_revoked_key_opens_nothing_after_fifteen_seconds(access, users, clock):
    await access.identify(TEXT)
    await users.revoke_key(ID, KEY)
    clock.advance(15)
    with pytest.raises(Unauthenticated):
        await access.identify(TEXT)


@pytest.mark.parametrize("status", [Status.DISABLED, Status.DELETING])
async def test_the_keys_of_a_user_who_is_not_active_open_nothing(access, users, status):
    await users.change(ID, lambda user: replace(user, status=status))
    with pytest.raises(Unauthenticated):
        await access.identify(TEXT)


async def test_a_change_made_by_this_instance_counts_at_once(access, users):
    await access.identify(TEXT)
    await users.revoke_key(ID, KEY)
    access.forget(ID)
    with pytest.raises(Unauthenticated):
        await access.identify(TEXT)


async def test_calls_at_the_same_time_share_one_read(access, users, entities, clock):
    await users.note_use(ID, stored_key(clock), clock.now())
    await asyncio.gather(*(access.identify(TEXT) for _ in range(100)))
    await access.identify(TEXT)
    assert entities.queries == 1


async def test_a_caller_who_goes_away_does_not_take_the_read_from_others(access):
    gone = asyncio.ensure_future(access.identify(TEXT))
    stays = asyncio.ensure_future(access.identify(TEXT))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays).user_id == ID


async def test_a_failed_read_is_not_remembered(access, entities):
    entities.fails = True
    with pytest.raises(Unavailable):
        await access.identify(TEXT)
    entities.fails = False
    assert (await access.identify(TEXT)).user_id == ID


async def test_storage_that_fails_to_take_the_last_use_refuses_nobody(access, entities, monkeypatch):
    async def fail(*_):
        raise Unavailable("Storage does not answer.")

    monkeypatch.setattr(entities, "apply", fail)
    assert (await access.identify(TEXT)).user_id == ID


async def test_a_million_unknown_users_take_bounded_memory(access):
    for number in range(5000):
        with pytest.raises(Unauthenticated):
            await access.identify(write_key(f"{number:016}", KEY, bytes(32)))
    assert len(access._cache) == 4096
