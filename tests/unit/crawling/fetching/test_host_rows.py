"""A host's row divides the host's places among processes by their fair shares, and forgets processes that died."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import Deadline
from shared.crawling.fetching.host_rows import TABLE, Claim, HostRow, HostRows, Need, Terms, shard_of
from shared.storage.entities import Entity, Insert, Put
from shared.storage.memory.entities import MemoryEntities
from tests.unit.manual_clock import ManualClock

TERMS = Terms()
HOST = "images.test:443"


def claimed(row, *claims, limit=8, now=0.0, **kinds):
    for process, wanted, holds in claims:
        row = row.claimed(process, Need(wanted, holds, limit, **kinds), now, TERMS)
    return row


def places(row):
    return {process: claim.places for process, claim in row.claims.items()}


def test_a_process_alone_gets_all_that_it_wants_up_to_the_limit():
    assert places(claimed(HostRow(), ("a", 20, 0))) == {"a": 8}
    assert places(claimed(HostRow(), ("a", 3, 0))) == {"a": 3}


def test_a_second_process_waits_until_the_first_gives_places_back():
    row = claimed(HostRow(), ("a", 8, 0), ("b", 8, 0))
    assert places(row) == {"a": 8, "b": 0}
    row = claimed(row, ("a", 8, 5), ("b", 8, 0))
    assert places(row) == {"a": 5, "b": 3}
    assert places(claimed(row, ("a", 8, 4), ("b", 8, 3))) == {"a": 4, "b": 4}


@pytest.mark.parametrize(
    ("wanted", "shares"),
    [({"a": 8, "b": 8}, [4, 4]), ({"a": 1, "b": 8}, [1, 7]), ({"a": 2, "b": 3}, [2, 3]), ({"a": 9}, [8])],
)
def test_fair_shares_leave_no_place_unused_that_a_process_wants(wanted, shares):
    row = HostRow({process: Claim(0, count, 30.0) for process, count in wanted.items()})
    found = [row.fair_share(process, Need(count, 0, 8), 0.0, TERMS) for process, count in wanted.items()]
    assert found == shares


def test_with_fewer_places_than_processes_each_gets_its_turn():
    row = HostRow({process: Claim(0, 5, 1e9) for process in "abcde"})
    need = Need(5, 0, 2)
    for turn in range(5):
        shares = [row.fair_share(process, need, turn * TERMS.turn, TERMS) for process in "abcde"]
        assert sum(shares) == 2
        assert shares[turn] == 1
        assert shares[(turn + 1) % 5] == 1


def test_the_claim_of_a_dead_process_ends_by_itself_and_the_pause_after_it_is_kept():
    row = claimed(HostRow(), ("dead", 1, 0), limit=1, delay_seconds=7.0)
    later = claimed(row, ("b", 1, 0), limit=1, now=31.0, delay_seconds=7.0)
    assert places(later) == {"b": 1}
    assert later.next_at == 30.0 + 7.0


def test_the_hundred_and_first_process_gets_no_claim_and_leaves_the_row_as_it_is():
    row = HostRow({f"p{number}": Claim(0, 1, 30.0) for number in range(100)})
    assert "late" not in claimed(row, ("late", 8, 0)).claims
    assert len(str(row.entity(HOST).values["claims"])) < 32_000


def test_a_row_says_what_it_said_when_it_was_written():
    row = claimed(HostRow(), ("a", 8, 0), now=1.5, rest_until=9.25)
    again = HostRow.of(row.entity(HOST))
    assert again == row


async def test_claims_on_many_hosts_are_made_and_released_by_few_calls():
    class Counting(MemoryEntities):
        calls = 0

        async def apply(self, table, partition, changes):
            self.calls += 1
            return await super().apply(table, partition, changes)

    entities, clock = Counting(), ManualClock()
    rows = HostRows.gathering(entities, clock, "a")
    hosts = [f"host-{number}.test:80" for number in range(32)]
    made = await asyncio.gather(*(rows.claim(host, Need(8, 0, 8), None) for host in hosts))
    assert [places(row) for row in made] == [{"a": 8}] * 32
    made = await asyncio.gather(
        *(rows.claim(host, Need(8, 8, 8), row) for host, row in zip(hosts, made, strict=True))
    )
    await asyncio.gather(*(rows.release(host, 0, row) for host, row in zip(hosts, made, strict=True)))
    assert entities.calls == 3 * 4
    for host in hosts:
        assert await entities.get(TABLE, shard_of(host), host) is None


async def test_the_night_deletes_rows_of_dead_processes_only():
    clock, entities = ManualClock(datetime(2026, 11, 29, tzinfo=UTC)), MemoryEntities()
    dead = HostRows(entities, clock, "dead")
    for number in range(40):
        await dead.claim(f"host-{number}.test:80", Need(1, 0, 8), None)
    clock.moment += timedelta(minutes=5)
    await HostRows(entities, clock, "alive").claim(HOST, Need(1, 0, 8), None)
    assert not await dead.erase_useless(Deadline.after(clock, 0.0))
    assert await dead.erase_useless(Deadline.after(clock, 60.0))
    left = [partition for partition in entities._tables[TABLE].values() for row in partition]
    assert len(left) == 1
    assert await entities.get(TABLE, shard_of(HOST), HOST) is not None


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"claims": "", "rest_until": 0.0, "next_at": 0.0},
        {"claims": '{"a": [1]}', "rest_until": 0.0, "next_at": 0.0},
        {"claims": '{"a": ["x", 1, null]}', "rest_until": 0.0, "next_at": 0.0},
        {"claims": "{}", "rest_until": "soon", "next_at": 0.0},
    ],
)
async def test_a_row_that_cannot_be_read_is_replaced_by_the_next_claim_or_erased(values):
    entities, clock = MemoryEntities(), ManualClock()
    rows = HostRows(entities, clock, "a")
    await entities.apply(TABLE, shard_of(HOST), [Insert(Entity(shard_of(HOST), HOST, values))])
    assert places(await rows.claim(HOST, Need(3, 0, 8), None)) == {"a": 3}
    await entities.apply(TABLE, shard_of(HOST), [Put(Entity(shard_of(HOST), HOST, values))])
    assert await rows.erase_useless(Deadline.after(clock, 10))
    assert await entities.get(TABLE, shard_of(HOST), HOST) is None
