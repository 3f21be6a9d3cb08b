import asyncio
from datetime import timedelta

import pytest

from shared.clock import Deadline
from shared.storage.memory.entities import MemoryEntities
from shared.users.audit import Action, Actor, AuditFilter, AuditTrail, OldActions
from shared.users.caller import Caller
from tests.unit.in_memory import runtime_of

DAY = 86_400
KEPT_DAYS = 400


@pytest.fixture
def entities():
    return MemoryEntities()


@pytest.fixture
def trail(entities, clock):
    return AuditTrail(entities, runtime_of(clock))


async def note(trail, *targets):
    for target in targets:
        async with trail.record(Actor(Caller("ann"), "call"), Action.CREATE_KEY, target):
            pass


async def targets(trail):
    return [row.target for row in (await trail.page("", 900, AuditFilter())).items]


def in_time(clock):
    return Deadline.after(clock, 60)


async def test_rows_are_erased_once_they_are_older_than_the_retention(trail, entities, clock):
    await note(trail, "first")
    clock.advance(0.001)
    await note(trail, "second")
    clock.advance(KEPT_DAYS * DAY)
    await note(trail, "third")
    old = OldActions(entities, clock, KEPT_DAYS)
    assert await old.erase(in_time(clock))
    assert await targets(trail) == ["third", "second"]
    clock.advance(0.001)
    assert await old.erase(in_time(clock))
    assert await old.erase(in_time(clock))
    assert await targets(trail) == ["third"]


async def test_a_trail_without_rows_is_done(entities, clock):
    assert await OldActions(entities, clock, 36_500).erase(in_time(clock))


async def test_two_runs_at_the_same_time_erase_all_old_rows_and_no_others(trail, entities, clock):
    await note(trail, *(f"old{number}" for number in range(350)))
    clock.advance((KEPT_DAYS + 1) * DAY)
    await note(trail, "new")
    runs = [OldActions(entities, clock, KEPT_DAYS).erase(in_time(clock)) for _ in range(2)]
    assert await asyncio.gather(*runs) == [True, True]
    assert await targets(trail) == ["new"]


class Ticking(MemoryEntities):
    """Takes a second for each change."""

    def __init__(self, clock) -> None:
        super().__init__()
        self.clock = clock

    async def apply(self, *arguments):
        self.clock.advance(1)
        return await super().apply(*arguments)


async def test_a_run_without_time_is_continued_by_the_next(clock):
    entities = Ticking(clock)
    trail = AuditTrail(entities, runtime_of(clock))
    await note(trail, *(f"old{number}" for number in range(250)))
    clock.advance(timedelta(days=KEPT_DAYS + 1).total_seconds())
    old = OldActions(entities, clock, KEPT_DAYS)
    assert not await old.erase(Deadline.after(clock, 2))
    assert len(await targets(trail)) == 50
    assert await old.erase(Deadline.after(clock, 2))
    assert await targets(trail) == []


async def test_paging_goes_on_behind_a_place_whose_row_was_erased(trail, entities, clock):
    await note(trail, "oldest")
    clock.advance(DAY)
    await note(trail, "newest")
    page = await trail.page("", 1, AuditFilter())
    assert page.more_after
    clock.advance((KEPT_DAYS + 2) * DAY)
    await OldActions(entities, clock, KEPT_DAYS).erase(in_time(clock))
    assert await trail.page(page.more_after, 1, AuditFilter()) == type(page)([], None)
