"""Work runs in threads, and its results come back to the event loop."""

import asyncio
import threading
from functools import partial

import pytest

from shared.crawling.judging.threads import JudgingThreads


@pytest.fixture
def threads():
    made = JudgingThreads(2)
    yield made
    made.close(wait=True)


async def test_each_result_and_each_error_goes_to_its_own_caller(threads):
    async def judged(number: int) -> object:
        try:
            return await threads.run(partial(divmod, 100, number))
        except ZeroDivisionError as error:
            return type(error).__name__

    found = await asyncio.gather(*map(judged, range(200)))

    assert found == ["ZeroDivisionError", *(divmod(100, number) for number in range(1, 200))]


async def test_all_threads_work_at_the_same_time_and_no_more_of_them(threads):
    both = threading.Barrier(3, timeout=10)

    def name_of_thread() -> str:
        both.wait()
        return threading.current_thread().name

    names = [threads.run(name_of_thread) for _ in range(4)]

    for _ in range(2):
        await asyncio.to_thread(both.wait)

    assert len({await name for name in names}) == 2


async def test_work_whose_caller_was_cancelled_before_it_began_is_not_done_but_its_end_is_reported(threads):
    begin = threading.Event()
    done: list[int] = []
    ends: list[int] = []
    busy = [threads.run(partial(begin.wait, 10)) for _ in range(2)]
    cancelled = threads.run(partial(done.append, 1), partial(ends.append, 1))
    cancelled.cancel()
    begin.set()
    await asyncio.gather(*busy)
    await threads.run(partial(done.append, 2))

    assert (done, ends) == ([2], [1])


async def test_work_whose_caller_is_cancelled_meanwhile_reports_its_end_only_when_the_thread_is_done(threads):
    began, end, ended = threading.Event(), threading.Event(), asyncio.Event()

    def work() -> None:
        began.set()
        end.wait(10)

    running = threads.run(work, ended.set)
    await asyncio.to_thread(began.wait, 10)
    running.cancel()
    await asyncio.sleep(0)
    assert not ended.is_set()
    end.set()

    async with asyncio.timeout(10):
        await ended.wait()


async def test_work_that_no_thread_has_begun_is_cancelled_when_the_threads_are_closed():
    threads, begin = JudgingThreads(1), threading.Event()
    ends: list[int] = []
    running = threads.run(partial(begin.wait, 10))
    waiting = threads.run(int, partial(ends.append, 1))

    threads.close()
    begin.set()

    assert await running
    assert waiting.cancelled()
    assert ends == [1]
    with pytest.raises(RuntimeError):
        threads.run(int)


def test_work_of_a_loop_that_has_ended_does_no_harm(threads):
    begin = threading.Event()

    async def leave() -> None:
        threads.run(partial(begin.wait, 10))

    asyncio.run(leave())
    begin.set()

    async def ask() -> object:
        return await threads.run(partial(int, 7))

    assert asyncio.run(ask()) == 7


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError(), asyncio.CancelledError(), GeneratorExit()]
)
async def test_any_error_reaches_the_caller_and_ends_no_thread(error, threads):
    def fail() -> None:
        raise error

    for _ in range(5):
        with pytest.raises(type(error)):
            await threads.run(fail)

    assert await threads.run(partial(int, 7)) == 7


async def test_an_error_after_the_work_holds_up_no_result(threads):
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context["exception"]))
    begin = threading.Event()
    busy = [threads.run(partial(begin.wait, 10)) for _ in range(2)]
    results = [threads.run(partial(int, number), partial(int, "none")) for number in range(5)]
    begin.set()

    async with asyncio.timeout(10):
        assert await asyncio.gather(*results) == [*range(5)]
    await asyncio.gather(*busy)
    assert [type(error) for error in errors] == [ValueError] * 5


async def test_threads_do_the_work_of_one_that_cannot_be_started(threads, monkeypatch):
    begin = threading.Event()
    first = threads.run(partial(begin.wait, 10))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _refuse)
        second = threads.run(partial(int, 7))
    begin.set()

    assert await first
    assert await second == 7


async def test_work_without_any_thread_fails_and_later_work_is_done(threads, monkeypatch):
    ends: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _refuse)
        for _ in range(3):
            with pytest.raises(RuntimeError, match="new thread"):
                threads.run(int, partial(ends.append, 1))

    assert ends == [1, 1, 1]
    async with asyncio.timeout(10):
        assert await asyncio.gather(*(threads.run(partial(int, number)) for number in range(9))) == [
            *range(9)
        ]


def _refuse(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
