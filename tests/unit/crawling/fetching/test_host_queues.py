"""Queues of candidates are fair among hosts and limited for each host, and every task ends."""

import asyncio

import pytest

from shared.crawling.fetching.host_queues import HostQueues
from shared.records.candidates import Candidate, NumberedCandidate, Provenance, StoredRange


def candidates_of(*urls: str) -> list[NumberedCandidate]:
    candidates = [Candidate(url, "x", Provenance("test")) for url in urls]
    return [NumberedCandidate(index, candidate) for index, candidate in enumerate(candidates)]


def queues_of(hosts: str, per_host: int) -> tuple[HostQueues, list[NumberedCandidate]]:
    candidates = candidates_of(*(f"http://{host}/{number}" for number, host in enumerate(hosts)))
    return HostQueues(candidates, per_host), candidates


async def test_hosts_are_served_round_robin():
    queues, candidates = queues_of("aaabbc", 2)
    assert [await queues.take() for _ in range(5)] == [candidates[index] for index in (0, 3, 5, 1, 4)]


async def test_a_host_has_no_more_active_candidates_than_allowed():
    hosts = "aabbbbbbbaaaaaacab" * 3
    queues, candidates = queues_of(hosts, 3)
    busy, most, taken = dict.fromkeys(hosts, 0), 0, []

    async def work() -> None:
        nonlocal most
        while (numbered := await queues.take()) is not None:
            host = hosts[numbered.index]
            busy[host] += 1
            most = max(most, busy[host])
            await asyncio.sleep(0)
            busy[host] -= 1
            taken.append(numbered.index)
            queues.done(numbered)

    await asyncio.wait_for(asyncio.gather(*(work() for _ in range(20))), 10)
    assert sorted(taken) == list(range(len(candidates)))
    assert most == 3


async def test_a_finished_candidate_wakes_one_waiting_task():
    queues, candidates = queues_of("aaaa", 1)
    await queues.take()
    waiting = [asyncio.create_task(queues.take()) for _ in range(3)]
    await asyncio.sleep(0)
    queues.done(candidates[0])
    for _ in range(5):
        await asyncio.sleep(0)
    assert [task.done() for task in waiting] == [True, False, False]
    waiting[1].cancel()
    queues.done(candidates[1])
    assert await asyncio.wait_for(waiting[2], 10) == candidates[2]
    with pytest.raises(asyncio.CancelledError):
        await waiting[1]


async def test_all_tasks_end_when_the_last_candidate_is_taken():
    queues, candidates = queues_of("ab", 1)
    assert [await queues.take(), await queues.take()] == candidates
    assert await asyncio.wait_for(asyncio.gather(*[queues.take() for _ in range(2)]), 10) == [None, None]
    assert await HostQueues([], 1).take() is None


async def test_images_in_storage_wait_for_no_host():
    stored = Candidate("http://a/1", "x", Provenance("test"), stored=StoredRange("shard", 0, 9))
    candidates = [*candidates_of("http://a/0", "blob:a/1", "blob:a/2"), NumberedCandidate(3, stored)]
    queues = HostQueues(candidates, 1)
    taken = [await asyncio.wait_for(queues.take(), 10) for _ in candidates]
    assert taken == candidates


async def test_addresses_without_a_readable_host_are_handed_out():
    queues = HostQueues(candidates_of("no url", "http://[", ""), 3)
    assert {numbered.index for _ in range(3) if (numbered := await queues.take())} == {0, 1, 2}


async def test_every_candidate_is_handed_out_round_robin():
    queues, candidates = queues_of("aaaabbc", 2)
    taken = []
    while (numbered := await queues.take()) is not None:
        taken.append(numbered)
        queues.done(numbered)
    assert taken == [candidates[index] for index in (0, 4, 6, 1, 5, 2, 3)]


async def test_a_task_waits_until_the_host_of_a_candidate_is_free():
    queues, candidates = queues_of("aaab", 2)
    assert [await queues.take() for _ in range(3)] == [candidates[index] for index in (0, 3, 1)]
    waiting = asyncio.create_task(queues.take())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    queues.done(candidates[3])
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    queues.done(candidates[0])
    assert await waiting == candidates[2]
    assert await queues.take() is None


@pytest.mark.parametrize("takers", [1, 3, 50])
async def test_many_tasks_share_all_candidates_and_all_end(takers):
    hosts = "abcdefg" * 30
    queues, candidates = queues_of(hosts, 3)
    active: dict[str, int] = {}
    seen: list[int] = []

    async def work():
        while (numbered := await queues.take()) is not None:
            host = hosts[numbered.index]
            active[host] = active.get(host, 0) + 1
            assert active[host] <= 3
            await asyncio.sleep(0)
            seen.append(numbered.index)
            active[host] -= 1
            queues.done(numbered)

    await asyncio.gather(*(work() for _ in range(takers)))
    assert sorted(seen) == list(range(len(candidates)))
