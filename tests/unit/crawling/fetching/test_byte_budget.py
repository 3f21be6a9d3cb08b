import asyncio
from contextlib import suppress

import pytest
from aiohttp import web

from shared.crawling.fetching.byte_budget import ByteBudget
from shared.records.consent import Answers
from shared.web.wishes.respect import Respect
from tests.unit.crawling.fetching.asking import BUDGET, FILTERS, patience
from tests.unit.loopback import serving


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


async def _hanging(request):
    """An image whose end does not come."""
    if request.path != "/hanging":
        return web.Response(body=bytes(1000))
    response = web.StreamResponse()
    response.content_length = 1000
    await response.prepare(request)
    await response.write(bytes(500))
    await asyncio.sleep(30)
    return response


@pytest.fixture
async def download(make_fetcher):
    fetcher = make_fetcher()
    async with serving(_hanging) as base:

        def fetch(path):
            return fetcher.fetch(f"{base}{path}", FILTERS, Respect.nothing(), patience(), Answers())

        yield fetch, fetcher._budget


async def test_a_download_that_is_cancelled_while_the_image_comes_gives_its_memory_back(download):
    fetch, budget = download
    task = asyncio.create_task(fetch("/hanging").__aenter__())
    async with asyncio.timeout(20):
        while budget._free == BUDGET:  # noqa: ASYNC110 - a budget has no events
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert budget._free == BUDGET


async def test_an_image_counts_until_its_block_ends_also_by_an_error(download):
    fetch, budget = download
    with suppress(LookupError):
        async with fetch("/whole"):
            assert budget._free == BUDGET - 1000
            raise LookupError
    assert budget._free == BUDGET
