"""The work on one chunk: what is done so far, and what many tasks share while they do the rest."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from shared.crawling.chunk import Chunk, ChunkResult
from shared.crawling.fetching.host_queues import HostQueues
from shared.crawling.fetching.patience import Patience, Postponed
from shared.crawling.optout_check import OptOutCheck
from shared.crawling.stored_reads import StoredReads
from shared.records.records import Record
from shared.scoring.picture_models import NO_MODELS, PictureModels
from shared.storage.writer import BlobWriter

_STOP_POLL_SECONDS = 0.5


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

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Lets `interrupt_on_stop` cancel the current task while it is in this block."""
        task = asyncio.current_task()
        if task is not None:
            self.interruptible_tasks.add(task)
        try:
            yield
        finally:
            self.interruptible_tasks.discard(task)

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Lets this block wait until the chunk's time ends or the job is stopped, but no longer.

        Raises:
            Postponed: the chunk's time has ended.
        """
        if self.patience.ended:
            raise Postponed
        try:
            with self.interruptible():
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
