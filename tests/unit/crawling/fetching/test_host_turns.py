"""Turns: fair among hosts, bounded for each, and nobody waits for ever."""

import asyncio

import pytest

from shared.crawling.fetching.host_turns import Turns


def turns_of(hosts: str, per_host: int) -> Turns:
    return Turns(list(hosts), per_host)


async def test_hosts_take_turns():
    turns = turns_of("aaabbc", 2)
    assert [await turns.take() for _ in range(5)] == [0, 3, 5, 1, 4]


async def test_no_host_is_asked_more_often_at_a_time_than_allowed():
    hosts = "aabbbbbbbaaaaaacab" * 3
    turns, busy, most, taken = turns_of(hosts, 3), dict.fromkeys(hosts, 0), 0, []

    async def work() -> None:
        nonlocal most
        while (position := await turns.take()) is not None:
            host = hosts[position]
            busy[host] += 1
            most = max(most, busy[host])
            await asyncio.sleep(0)
            busy[host] -= 1
            taken.append(position)
            turns.done(position)

    await asyncio.wait_for(asyncio.gather(*(work() for _ in range(20))), 10)
    assert sorted(taken) == list(range(len(hosts)))
    assert most == 3


async def test_one_place_that_gets_free_wakes_one_that_waits():
    turns = turns_of("aaaa", 1)
    await turns.take()
    waiting = [asyncio.create_task(turns.take()) for _ in range(3)]
    await asyncio.sleep(0)
    turns.done(0)
    for _ in range(5):
        await asyncio.sleep(0)
    assert [task.done() for task in waiting] == [True, False, False]
    waiting[1].cancel()
    turns.done(1)
    assert await asyncio.wait_for(waiting[2], 10) == 2
    with pytest.raises(asyncio.CancelledError):
        await waiting[1]


async def test_who_waits_when_the_last_one_goes_is_let_go_and_so_is_who_comes_later():
    turns = turns_of("ab", 1)
    assert [await turns.take(), await turns.take()] == [0, 1]
    assert await asyncio.wait_for(asyncio.gather(turns.take(), turns.take()), 10) == [None, None]
    assert await turns_of("", 1).take() is None
