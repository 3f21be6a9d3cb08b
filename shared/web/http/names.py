"""Looks up the addresses of names for the HTTP client, in threads of its own, and remembers them for a while.

The library's own look-ups share a few threads with all other work of the process. A name server that does not answer
would keep those threads busy, and all other hosts would wait for it.
"""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import override
from weakref import WeakValueDictionary

from aiohttp.abc import AbstractResolver, ResolveResult

from shared.clock import Clock, SystemClock

# a stranger's name may have thousands of addresses, and a connection may try each
_MOST_ADDRESSES = 16

type LookUp = Callable[[str, int], Sequence[ResolveResult]]


@dataclass(frozen=True, slots=True)
class NameLimits:
    """How names are looked up.

    Addresses are remembered for `remember_seconds`, and a failure for `remember_failure_seconds`. At most `names` of
    both are remembered. A look-up fails after `answer_seconds`. Up to `threads` look-ups run at the same time, and
    up to `of_a_domain` of names with the same last two labels. Those that failed go on until the system gives up, and
    hold their threads until then. So a domain whose name servers do not answer leaves threads to all others.
    """

    remember_seconds: float = 60.0
    remember_failure_seconds: float = 5.0
    names: int = 4096
    answer_seconds: float = 10.0
    threads: int = 128
    of_a_domain: int = 16


@dataclass(frozen=True, slots=True)
class NameCounts:
    """How often addresses of names were `remembered`, how often they were `asked` for, and how often that `failed`."""

    remembered: int = 0
    asked: int = 0
    failed: int = 0


class CountedNames:
    """Counts look-ups."""

    def __init__(self) -> None:
        self._counts = NameCounts()

    def add(self, *, remembered: int = 0, asked: int = 0, failed: int = 0) -> None:
        """Counts further look-ups."""
        was = self._counts
        self._counts = NameCounts(was.remembered + remembered, was.asked + asked, was.failed + failed)

    def take(self) -> NameCounts:
        """Returns the counts since this was called last."""
        taken, self._counts = self._counts, NameCounts()
        return taken


def look_up(host: str, port: int) -> Sequence[ResolveResult]:
    """Returns up to 16 addresses of a name, as the system finds them. Blocks until it does.

    Raises:
        OSError: the name has no address, or no name server answered.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return [
        # a link-local IPv6 address would also need its scope, but the app never connects to one
        ResolveResult(
            hostname=host,
            host=str(where[0]),
            port=int(where[1]),
            family=family,
            proto=protocol,
            flags=numeric,
        )
        for family, _, protocol, _, where in found[:_MOST_ADDRESSES]
    ]


@dataclass(frozen=True, slots=True)
class _Known:
    """The outcome of a look-up, which counts until a monotonic time."""

    outcome: Sequence[ResolveResult] | OSError
    until: float


class Names(AbstractResolver):
    """Looks up names for the session of one event loop. Calls that want the same name at a time share one look-up."""

    def __init__(
        self,
        counts: CountedNames,
        limits: NameLimits | None = None,
        look_up: LookUp = look_up,
        clock: Clock | None = None,
    ) -> None:
        self._counts = counts
        self._limits = limits or NameLimits()
        self._look_up = look_up
        self._clock = clock or SystemClock()
        self._threads = ThreadPoolExecutor(self._limits.threads, "name")
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._asked: dict[str, asyncio.Task[_Known]] = {}
        self._domains = WeakValueDictionary[str, asyncio.Semaphore]()

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Returns the addresses of a name, of all families, with this port.

        Raises:
            OSError: the name has no address, or no name server answered in time.
        """
        known = self._known.get(host)
        if known is not None and self._clock.monotonic() < known.until:
            self._known.move_to_end(host)
            self._counts.add(remembered=1)
        else:
            known = await self._ask(host)
        if isinstance(known.outcome, OSError):
            # a new error each time, because a raised one keeps its traceback
            raise type(known.outcome)(*known.outcome.args)
        return [_with_port(found, port) for found in known.outcome]

    @override
    async def close(self) -> None:
        """Ends the idle threads. The others end when the system has an answer or gives up."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, host: str) -> _Known:
        """Looks up a name, or waits for the look-up of it that is under way."""
        task = self._asked.get(host)
        if task is None:
            task = asyncio.create_task(self._look_up_and_remember(host))
            self._asked[host] = task
            task.add_done_callback(lambda _: self._asked.pop(host, None))
            self._counts.add(asked=1)
        else:
            self._counts.add(remembered=1)
        # if this call is cancelled, others may still wait for the name
        return await asyncio.shield(task)

    async def _look_up_and_remember(self, host: str) -> _Known:
        limits = self._limits
        outcome: Sequence[ResolveResult] | OSError
        try:
            async with asyncio.timeout(limits.answer_seconds):
                outcome = await self._in_thread(host)
        except TimeoutError:
            outcome = socket.gaierror(socket.EAI_AGAIN, f"no answer within {limits.answer_seconds:g} seconds")
        except OSError as error:
            outcome = error
        except UnicodeError:
            outcome = socket.gaierror(socket.EAI_NONAME, "the name is not a valid one")
        failed = isinstance(outcome, OSError)
        if failed:
            self._counts.add(failed=1)
        seconds = limits.remember_failure_seconds if failed else limits.remember_seconds
        known = _Known(outcome, self._clock.monotonic() + seconds)
        self._known[host] = known
        self._known.move_to_end(host)
        if len(self._known) > limits.names:
            self._known.popitem(last=False)
        return known

    async def _in_thread(self, host: str) -> Sequence[ResolveResult]:
        """Looks up a name in a thread when its domain may have one more."""
        domain = ".".join(host.rstrip(".").rsplit(".", 2)[-2:])
        places = self._domains.setdefault(domain, asyncio.Semaphore(self._limits.of_a_domain))
        await places.acquire()
        loop = asyncio.get_running_loop()

        def end(_: Future[Sequence[ResolveResult]]) -> None:
            # the loop may be closed when the system gives up at last
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(places.release)

        future = self._threads.submit(self._look_up, host, 0)
        future.add_done_callback(end)
        return await asyncio.wrap_future(future)


def _with_port(found: ResolveResult, port: int) -> ResolveResult:
    result = found.copy()
    result["port"] = port
    return result
