"""A user is made again with the id of one who is being deleted, while either call stops or dies at any of its steps."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.storage.memory.entities import MemoryEntities
from shared.users.api_keys import ApiKey
from shared.users.caller import Scope, TierName
from shared.users.deletions import Deletions
from shared.users.metrics.paying import listed_users
from shared.users.metrics.shards import shard_of
from shared.users.store import UserStore
from shared.users.user import Status, User
from tests.expect import present
from tests.unit.users.interleaved import InterleavedEntities, KilledError, die

ID = "0123456789abcdef"
STEPS = range(1, 25)
TIERS = [(old, new) for old in TierName for new in TierName if TierName.ENTERPRISE not in {old, new}]


@pytest.fixture(params=TIERS, ids="-".join)
def tiers(request):
    return request.param


class Stage:
    """A user who is to be deleted tonight, and the one who takes the id."""

    def __init__(self, clock, tiers: tuple[TierName, TierName]) -> None:
        self.rows = MemoryEntities()
        self.clock = clock
        self.old = User(ID, "Ann", tiers[0], clock.now())
        self.new = User(ID, "Ann", tiers[1], clock.now() + timedelta(days=1))
        self.key = ApiKey("key001", "Key", frozenset({Scope.READ}), "0" * 64, clock.now())

    async def begin(self) -> "Stage":
        users = UserStore(self.rows)
        await users.create(self.old)
        await users.add_key(ID, replace(self.key, id="key000"))
        await self.deletions().begin(ID, self.clock.now(), keeps_datasets=True)
        return self

    def deletions(self, entities: MemoryEntities | None = None) -> Deletions:
        rows = entities or self.rows
        return Deletions(rows, UserStore(rows))

    async def erase(self, entities: MemoryEntities | None = None) -> None:
        """What the nightly run does at the end for the user whom it has found marked."""
        await self.deletions(entities).finish(replace(self.old, status=Status.DELETING))

    async def make(self, entities: MemoryEntities | None = None) -> None:
        await UserStore(entities or self.rows).create(self.new)

    async def use(self) -> None:
        """Make the new user, who gets a key."""
        await self.make()
        if await self.stored() == self.new:
            await UserStore(self.rows).add_key(ID, self.key)

    async def stored(self) -> User | None:
        return await UserStore(self.rows).get(ID)

    async def check(self) -> None:
        """Check that an active user who pays is listed as such, and that a user is in the list of all."""
        user = await self.stored()
        if user is None:
            return
        paying = [each async for each in listed_users(self.rows, shard_of(ID), "")]
        pays = user.tier is not TierName.FREE and user.status is Status.ACTIVE
        assert not pays or paying == [ID]
        assert ID in [each.id for each in (await UserStore(self.rows).page("", 10)).items]


type Play = Callable[[MemoryEntities | None], Awaitable[None]]


async def interleaved(clock, tiers, one: str, other: str) -> AsyncIterator[Stage]:
    """Yields stages after `one`, which let `other` go first at each of its steps, and die at each step, too."""
    for at in STEPS:
        for dies_at in (None, *STEPS):
            stage = await Stage(clock, tiers).begin()
            play, meanwhile = (getattr(stage, name) for name in (one, other))

            async def go_first(stage=stage, meanwhile=meanwhile, dies_at=dies_at) -> None:
                entities = InterleavedEntities(stage.rows, dies_at or 0, die)
                with contextlib.suppress(KilledError):
                    await meanwhile(entities)

            entities = InterleavedEntities(stage.rows, at, go_first)
            await play(entities)
            if not entities.reached:
                return
            yield stage
    pytest.fail("there are more steps than were tried")


@pytest.mark.parametrize(("one", "other"), [("erase", "make"), ("make", "erase")])
async def test_a_paying_user_who_is_made_while_the_old_one_is_deleted_is_listed(clock, tiers, one, other):
    number = 0
    async for stage in interleaved(clock, tiers, one, other):
        number += 1
        await stage.check()
        # the nightly run and the caller try again
        await stage.erase()
        await stage.check()
        await stage.make()
        assert await stage.stored() == stage.new
        await stage.check()
    assert number > len(STEPS)


async def test_a_slow_nightly_run_deletes_nothing_of_the_user_who_was_made_after_a_faster_one(clock, tiers):
    for at in STEPS:
        stage = await Stage(clock, tiers).begin()

        async def go_first(stage=stage) -> None:
            await stage.erase()
            await stage.use()
            await stage.deletions().begin(ID, stage.clock.now(), keeps_datasets=True)

        slow = InterleavedEntities(stage.rows, at, go_first)
        await stage.erase(slow)
        if not slow.reached:
            return
        account = present(await UserStore(stage.rows).account(ID))
        assert [key.id for key in account.keys] == ["key001"]
        await stage.check()
        assert [user.id async for user, _ in stage.deletions().pending(clock.now())] == [ID]
    pytest.fail("there are more steps than were tried")


async def test_an_erased_user_leaves_no_row(clock, tiers):
    stage = await Stage(clock, tiers).begin()
    await stage.erase()
    for partition in (ID, "~users", "~deleting", f"~paying-{shard_of(ID):02}"):
        assert [row async for row in stage.rows.query("users", partition)] == []
