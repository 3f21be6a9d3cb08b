from datetime import timedelta

import pytest

from shared.errors import Conflict, Unavailable
from shared.storage.memory.entities import MemoryEntities
from shared.users.audit import Action, Actor, AuditFilter, AuditTrail, Outcome
from shared.users.caller import Caller
from tests.unit.in_memory import runtime_of

ALL = AuditFilter()


@pytest.fixture
def trail(clock):
    return AuditTrail(MemoryEntities(), runtime_of(clock))


async def note(trail, target, action=Action.CHANGE_USER, actor="admin"):
    async with trail.record(Actor(Caller(actor), f"call-{target}"), action, target, "tier=pro"):
        pass


async def test_actions_are_read_newest_first_in_pages(trail, clock):
    for number in range(5):
        clock.advance(40 * 86_400)
        await note(trail, f"user{number}")
    first = await trail.page("", 2, ALL)
    second = await trail.page(first.more_after, 2, ALL)
    last = await trail.page(second.more_after, 2, ALL)
    found = [*first.items, *second.items, *last.items]
    assert [item.target for item in found] == [f"user{number}" for number in reversed(range(5))]
    assert last.more_after is None
    assert (found[0].at, found[0].actor, found[0].detail) == (clock.now(), "admin", "tier=pro")
    assert (found[0].correlation_id, found[0].outcome) == ("call-user4", Outcome.DONE)


async def test_actions_of_one_moment_are_all_kept(trail):
    for _ in range(5):
        await note(trail, "user")
    assert len((await trail.page("", 10, ALL)).items) == 5


async def test_a_filter_takes_what_a_user_did_and_what_concerned_the_user_since_a_moment(trail, clock):
    await note(trail, "ann")
    clock.advance(60)
    since = clock.now()
    await note(trail, "ann/key001", Action.CREATE_KEY)
    await note(trail, "bob", actor="ann")
    await note(trail, "annabel")
    of_ann = await trail.page("", 10, AuditFilter("ann", since=since))
    assert {item.target for item in of_ann.items} == {"ann/key001", "bob"}
    keys = await trail.page("", 10, AuditFilter("ann", Action.CREATE_KEY))
    assert [item.target for item in keys.items] == ["ann/key001"]
    assert (await trail.page("", 10, AuditFilter(since=since + timedelta(seconds=1)))).items == []


async def test_a_page_with_a_rare_filter_reads_a_thousand_rows_and_says_where_to_go_on(trail, clock):
    await note(trail, "ann")
    for number in range(1500):
        clock.advance(1)
        await note(trail, f"user{number}")
    first = await trail.page("", 10, AuditFilter("ann"))
    assert first.items == []
    second = await trail.page(first.more_after, 10, AuditFilter("ann"))
    assert [item.target for item in second.items] == ["ann"]
    assert second.more_after is None


async def outcome_after(trail, error):
    with pytest.raises(type(error)):
        async with trail.record(Actor(Caller("admin"), "call"), Action.CREATE_KEY, "ann/key001"):
            raise error
    [row] = (await trail.page("", 10, ALL)).items
    return row.outcome


async def test_an_action_that_was_not_carried_out_is_refused(trail):
    assert await outcome_after(trail, Conflict("The user has 20 keys.")) is Outcome.REFUSED


@pytest.mark.parametrize("error", [Unavailable("no answer"), KeyboardInterrupt(), ValueError("a mistake")])
async def test_an_action_of_which_nobody_knows_the_end_stays_started(trail, error):
    assert await outcome_after(trail, error) is Outcome.STARTED


class FallingSilent(MemoryEntities):
    """Stores a number of changes, and then does not answer."""

    def __init__(self, changes: int) -> None:
        super().__init__()
        self.left = changes

    async def apply(self, *arguments):
        self.left -= 1
        if self.left < 0:
            raise Unavailable("Storage does not answer.")
        return await super().apply(*arguments)


async def test_an_action_whose_outcome_cannot_be_stored_is_carried_out_and_stays_started(clock, caplog):
    trail = AuditTrail(FallingSilent(1), runtime_of(clock))
    await note(trail, "ann")
    assert [row.outcome for row in (await trail.page("", 10, ALL)).items] == [Outcome.STARTED]
    assert "stays 'started'" in caplog.text


async def test_nothing_is_carried_out_that_cannot_be_recorded(clock):
    trail = AuditTrail(FallingSilent(0), runtime_of(clock))
    done = []
    with pytest.raises(Unavailable):
        async with trail.record(Actor(Caller("admin"), "call"), Action.CREATE_KEY, "ann/key001"):
            done.append("key")
    assert done == []
