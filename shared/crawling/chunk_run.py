"""The work on one chunk: what is done so far, and what many tasks share while they do the rest."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import override

from shared.crawling.chunk import Chunk, ChunkResult
from shared.crawling.fetching.host_queues import HostQueues
from shared.crawling.fetching.patience import Patience, Postponed
from shared.crawling.optout_check import OptOutCheck
from shared.crawling.stored_reads import StoredReads
from shared.records.records import Record
from shared.scoring.picture_models import NO_MODELS, PictureModels
from shared.storage.writer import BlobWriter

_STOP_POLL_SECONDS = 0.5


class _InterruptibleEntry[T](AbstractAsyncContextManager[T]):
    """Enters another context. Until that is entered, the current task is in `tasks`, so that it can be cancelled."""

    __slots__ = ("_context", "_tasks")

    def __init__(self, context: AbstractAsyncContextManager[T], tasks: set[asyncio.Task[object]]) -> None:
        self._context = context
        self._tasks = tasks

    @override
    async def __aenter__(self) -> T:
        with _among(self._tasks):
            return await self._context.__aenter__()

    @override
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._context.__aexit__(kind, error, trace)


@dataclass(frozen=True, slots=True)
class ChunkRun:
    """The work on one chunk, which many tasks share. `models` are those that its options ask for.

    `stop` may interrupt a task that downloads or waits for memory. It never interrupts a task that stores an image,
    because other images are written in the same block.
    """

    chunk: Chunk
    stop: Callable[[], bool]
    patience: Patience
    queues: HostQueues
    shard: BlobWriter
    stored: StoredReads
    optouts: OptOutCheck
    models: PictureModels = NO_MODELS
    records: dict[int, Record] = field(default_factory=dict)
    interruptible_tasks: set[asyncio.Task[object]] = field(default_factory=set)

    async def interrupt_on_stop(self) -> None:
        """Waits until `stop` returns true, and then cancels the tasks that are interruptible."""
        while not self.stop():  # noqa: ASYNC110 - `stop` is a function to call, not an event
            await asyncio.sleep(_STOP_POLL_SECONDS)
        for task in self.interruptible_tasks:
            task.cancel()

    def interruptible[T](self, context: AbstractAsyncContextManager[T]) -> AbstractAsyncContextManager[T]:
        """Lets `interrupt_on_stop` cancel the current task while it enters this context, but not within its block."""
        return _InterruptibleEntry(context, self.interruptible_tasks)

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Lets this block wait until the chunk's time ends or the job is stopped, but no longer.

        Raises:
            Postponed: the chunk's time has ended.
        """
        if self.patience.ended:
            raise Postponed
        try:
            with _among(self.interruptible_tasks):
                async with asyncio.timeout(self.patience.remaining_seconds):
                    yield
        except TimeoutError:
            raise Postponed from None

    @property
    def result(self) -> ChunkResult:
        """The result of what is done so far."""
        records = tuple(self.records[index] for index in sorted(self.records))
        unfinished = tuple(
            numbered for numbered in self.chunk.candidates if numbered.index not in self.records
        )
        return ChunkResult(records, unfinished, self.patience.asked)


@contextmanager
def _among(tasks: set[asyncio.Task[object]]) -> Iterator[None]:
    """Keeps the current task among these tasks."""
    task = asyncio.current_task()
    if task is not None:
        tasks.add(task)
    try:
        yield
    finally:
        tasks.discard(task)
