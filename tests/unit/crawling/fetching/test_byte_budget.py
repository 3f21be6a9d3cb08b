import asyncio

import pytest

from shared.crawling.fetching.byte_budget import ByteBudget


async def _begun(coroutine):
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(0)
    return task


async def test_free_bytes_are_granted_at_once_and_others_when_they_are_given_back():
    budget = ByteBudget(10)
    assert budget.take_now(6) == 6
    assert budget.take_now(5) is None
    waiting = await _begun(budget.take(5))
    assert not waiting.done()
    budget.give_back(6)
    assert await waiting == 5


async def test_a_share_is_never_larger_than_the_whole_budget():
    budget = ByteBudget(10)
    assert await budget.take(50) == 10
    assert budget.take_now(1) is None


async def test_small_shares_do_not_overtake_a_waiting_large_one():
    budget = ByteBudget(10)
    first = await budget.take(4)
    large = await _begun(budget.take(10))
    small = await _begun(budget.take(1))
    assert budget.take_now(1) is None
    budget.give_back(first)
    assert await large == 10
    assert not small.done()
    budget.give_back(10)
    assert await small == 1


@pytest.mark.parametrize("served", [False, True])
async def test_a_cancelled_task_takes_no_bytes(served):
    budget = ByteBudget(10)
    first = await budget.take(10)
    leaving, behind = await _begun(budget.take(8)), await _begun(budget.take(2))
    if served:  # it has its share already, but does not know yet
        budget.give_back(first)
        leaving.cancel()
    else:
        leaving.cancel()
        await asyncio.sleep(0)
        budget.give_back(first)
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await behind == 2
    budget.give_back(2)
    assert budget.take_now(10) == 10


async def test_a_cancelled_task_lets_the_next_task_have_free_bytes_at_once():
    budget = ByteBudget(10)
    await budget.take(5)
    large, small = await _begun(budget.take(10)), await _begun(budget.take(5))
    large.cancel()
    assert await small == 5
