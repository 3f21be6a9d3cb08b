import asyncio
from datetime import UTC, datetime

from shared.clock import Deadline
from shared.users.audit import Action, Actor, AuditFilter, AuditTrail, OldActions
from shared.users.caller import Caller
from tests.unit.in_memory import runtime_of
from tests.unit.manual_clock import ManualClock

DAY = 86_400


async def test_two_runs_at_the_same_time_erase_all_rows_older_than_the_retention_and_no_others(entities):
    # no other test writes rows of these years
    clock = ManualClock(datetime(2001, 1, 1, tzinfo=UTC))
    trail = AuditTrail(entities, runtime_of(clock))

    async def note(target):
        async with trail.record(Actor(Caller("ann"), "call"), Action.CREATE_KEY, target):
            pass

    async def kept(target):
        return [
            row for row in (await trail.page("", 1000, AuditFilter(target))).items if row.target == target
        ]

    for _ in range(210):
        await note("old-action")
    clock.advance(DAY)
    await note("kept-action")
    clock.advance(30 * DAY)
    await note("new-action")
    runs = [OldActions(entities, clock, 30).erase(Deadline.after(clock, 60)) for _ in range(2)]
    assert await asyncio.gather(*runs) == [True, True]
    assert [len(await kept(target)) for target in ("old-action", "kept-action", "new-action")] == [0, 1, 1]
