"""Runs work in threads for an event loop, at less cost for each piece of work than an executor's futures.

A thread takes one piece of work after another while some is left, and wakes the loop once for all results that are
there. Both matter under load, when images come faster than they are judged.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock


class _Work[T]:
    """A function to call, and the future of its result. `after` is called on the loop when the thread is done."""

    __slots__ = ("_after", "_call", "_error", "_result", "future")

    def __init__(
        self, call: Callable[[], T], after: Callable[[], None] | None, future: asyncio.Future[T]
    ) -> None:
        self.future = future
        self._call = call
        self._after = after
        self._result: tuple[T] | None = None
        self._error: BaseException | None = None

    def do(self) -> None:
        """Calls the function, in a thread. Does nothing if its caller was cancelled."""
        if self.future.cancelled():
            return
        try:
            self._result = (self._call(),)
        except BaseException as error:  # noqa: BLE001 - whatever the function raises is for the caller
            # this needs no memory, which may be what has run out
            self._error = error

    def finish(self) -> None:
        """Gives the result to the future, on its loop. Cancels the future if the function was not called."""
        try:
            if self._after is not None:
                self._after()
        finally:
            if not self.future.done():
                self._settle()

    def _settle(self) -> None:
        if self._error is not None:
            self.future.set_exception(self._error)
        elif self._result is not None:
            self.future.set_result(self._result[0])
        else:
            self.future.cancel()


class _Results:
    """Brings done work from the threads to one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._done: deque[_Work[object]] = deque()
        self._awaited = False

    def add(self, work: _Work[object]) -> None:
        """Adds done work, in a thread. Wakes the loop, unless it will look anyway."""
        self._done.append(work)
        if not self._awaited:
            self._awaited = True
            # if the loop has ended, nobody waits for the result
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        # before the last look, so that work that is added after it wakes the loop again
        self._awaited = False
        while self._done:
            try:
                self._done.popleft().finish()
            except Exception as error:  # noqa: BLE001 - the error of one `after` must not hold up other results
                self.loop.call_exception_handler({"message": "the end of work failed", "exception": error})


class JudgingThreads:
    """A number of threads, which start when they are needed. The functions must not need an event loop."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._executor = ThreadPoolExecutor(threads, "judge")
        self._lock = Lock()
        self._waiting: deque[tuple[_Work[object], _Results]] = deque()
        # a mark for each thread that takes work
        self._busy: set[object] = set()
        self._closed = False
        self._results: _Results | None = None

    def run[T](self, call: Callable[[], T], after: Callable[[], None] | None = None) -> asyncio.Future[T]:
        """Calls a function in a thread. Returns the future of its result.

        `after` is called on the running loop when the thread is done, even if the future was cancelled before.

        Raises:
            RuntimeError: the threads were closed, or there is none and the system starts none.
        """
        if self._closed:
            raise RuntimeError("the threads are closed")
        loop = asyncio.get_running_loop()
        if self._results is None or self._results.loop is not loop:
            self._results = _Results(loop)
        work = _Work(call, after, loop.create_future())
        mark = object()
        with self._lock:
            self._waiting.append((work, self._results))
            one_more = len(self._busy) < self._threads
            if one_more:
                self._busy.add(mark)
        if one_more:
            self._start(mark)
        return work.future

    def close(self, *, wait: bool = False) -> None:
        """Stops the threads as soon as their current work is done, and cancels what no thread has begun."""
        self._closed = True
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
        for work, _ in waiting:
            work.finish()
        self._executor.shutdown(wait=wait, cancel_futures=True)

    def _start(self, mark: object) -> None:
        """Has one thread more take work. If it cannot be started, the others do the work."""
        try:
            self._executor.submit(self._work, mark)
        except RuntimeError:
            with self._lock:
                self._busy.discard(mark)
                if self._busy:
                    return
                waiting, self._waiting = self._waiting, deque()
            for work, _ in waiting:
                work.finish()
            raise

    def _work(self, mark: object) -> None:
        """Does all work that waits, in a thread."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy.discard(mark)
                    return
                work, results = self._waiting.popleft()
            work.do()
            results.add(work)
