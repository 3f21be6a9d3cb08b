import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Changed, Conflict, NotFound
from shared.storage.memory.entities import MemoryEntities
from shared.users.api_keys import ApiKey
from shared.users.caller import Scope, TierName
from shared.users.store import UserStore
from shared.users.user import Status, User
from tests.expect import present

ID = "0123456789abcdef"


@pytest.fixture
def users():
    return UserStore(MemoryEntities())


@pytest.fixture
def ann(clock):
    return User(ID, "Ann", TierName.PRO, clock.now(), subject="aad|42")


def key_of(clock, number):
    scopes = frozenset({Scope.READ, Scope.SUBMIT})
    return ApiKey(f"key{number:03}", f"Key {number}", scopes, "0" * 64, clock.now())


async def test_a_user_is_read_as_written(users, ann):
    await users.create(ann)
    assert await users.get(ID) == ann
    assert (await users.account(ID)).user == ann


async def test_a_user_is_created_once(users, ann, clock):
    await users.create(ann)
    clock.advance(60)
    again = await users.create(replace(ann, name="Another", created_at=clock.now()))
    assert again == ann
    assert (await users.page("", 10)).items == [ann]


async def test_a_user_whose_creation_stopped_halfway_can_be_created_again(users, ann, clock):
    await users.create(ann)
    await users.entities.erase("users", ID)
    assert (await users.page("", 10)).items == []
    clock.advance(60)
    later = replace(ann, created_at=clock.now())
    await users.create(later)
    assert (await users.page("", 10)).items == [later]


async def test_nobody_is_found_under_an_unknown_id(users):
    assert await users.account("nobody") is None
    with pytest.raises(NotFound):
        await users.require("nobody")
    with pytest.raises(NotFound):
        await users.change("nobody", lambda user: user)


async def test_users_are_listed_newest_first_page_by_page(users, ann, clock):
    for number in range(7):
        clock.advance(1)
        await users.create(replace(ann, id=f"user{number}", created_at=clock.now()))
    seen, after = [], ""
    while True:
        page = await users.page(after, 3)
        seen += [user.id for user in page.items]
        if page.more_after is None:
            break
        after = page.more_after
    assert seen == [f"user{number}" for number in reversed(range(7))]


async def test_two_changes_of_a_user_at_once_are_both_made(users, ann):
    await users.create(ann)
    await asyncio.gather(
        users.change(ID, lambda user: replace(user, tier=TierName.ENTERPRISE)),
        users.change(ID, lambda user: replace(user, name="Anna")),
    )
    assert await users.get(ID) == replace(ann, tier=TierName.ENTERPRISE, name="Anna")


async def test_a_user_has_at_most_twenty_keys_however_many_calls_add_keys_at_the_same_time(users, ann, clock):
    await users.create(ann)
    made = await asyncio.gather(
        *(users.add_key(ID, key_of(clock, number)) for number in range(30)), return_exceptions=True
    )
    assert sum(isinstance(result, Conflict) for result in made) == 10
    assert len((await users.account(ID)).keys) == 20


async def test_a_key_whose_answer_was_lost_is_stored_once(ann, clock):
    class LosingEntities(MemoryEntities):
        """Carries out the changes of keys, and says as an SDK does after a repeated request that they failed."""

        async def apply(self, table, partition, changes):
            etags = await super().apply(table, partition, changes)
            if len(changes) > 1:
                raise Changed("The row has changed.")
            return etags

    users = UserStore(LosingEntities())
    await users.create(ann)
    await users.add_key(ID, key_of(clock, 0))
    account = present(await users.account(ID))
    assert [key.id for key in account.keys] == ["key000"]


async def test_a_user_who_is_not_active_gets_no_key(users, ann, clock):
    await users.create(replace(ann, status=Status.DISABLED))
    with pytest.raises(Conflict, match="disabled"):
        await users.add_key(ID, key_of(clock, 1))


async def test_a_revoked_key_is_gone_and_makes_room(users, ann, clock):
    await users.create(ann)
    for number in range(20):
        await users.add_key(ID, key_of(clock, number))
    assert await users.revoke_key(ID, "key007")
    assert not await users.revoke_key(ID, "key007")
    await users.add_key(ID, key_of(clock, 99))
    assert (await users.account(ID)).key("key007") is None


async def test_the_last_use_is_written_once_an_hour(users, ann, clock):
    await users.create(ann)
    await users.add_key(ID, key_of(clock, 1))
    (key,) = (await users.account(ID)).keys
    assert await users.note_use(ID, key, clock.now())
    (key,) = (await users.account(ID)).keys
    assert key.last_used_at == clock.now()
    assert not await users.note_use(ID, key, clock.now() + timedelta(minutes=59))
    assert await users.note_use(ID, key, clock.now() + timedelta(hours=1))


async def test_an_erased_user_leaves_nothing(users, ann, clock):
    await users.create(ann)
    await users.add_key(ID, key_of(clock, 1))
    await users.erase(ann)
    await users.erase(ann)
    assert await users.account(ID) is None
    assert (await users.page("", 10)).items == []
