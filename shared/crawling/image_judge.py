"""Judges images in threads, within a limit of memory."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from shared.crawling.chunk_run import ChunkRun
from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.judging.decoding.allocator import return_large_blocks
from shared.crawling.judging.first_use import import_libraries, judge
from shared.crawling.judging.threads import JudgingThreads
from shared.crawling.options import CrawlOptions
from shared.records.consent import Answers
from shared.records.embedded import Embedded
from shared.records.records import Rejected
from shared.scoring.picture_models import NO_MODELS

if TYPE_CHECKING:
    from shared.crawling.judging.judge import AwaitingMemory, Judged


class ImageJudge:
    """The threads of a process that judge images. Large images share `decoded_bytes` of memory for decoding."""

    def __init__(self, threads: int, decoded_bytes: int) -> None:
        return_large_blocks()
        self._pixels = ByteBudget(decoded_bytes)
        self._threads = JudgingThreads(threads)

    def import_libraries(self) -> asyncio.Future[None]:
        """Begins to import the libraries for images, in a thread."""
        return self._threads.run(import_libraries)

    async def judge(
        self, run: ChunkRun, data: bytes, answers: Answers, earlier: Embedded
    ) -> "Judged | Rejected":
        """Judges an image with the options and models of its chunk. `answers` gets those of the signals in the file."""
        options = run.chunk.options
        return await self._judge(run, options, partial(judge, data, options, answers, earlier, run.models))

    async def judge_with(
        self, run: ChunkRun, data: bytes, options: CrawlOptions, embedded: Embedded
    ) -> "Judged | Rejected":
        """Judges an image with other options, and without the models of its chunk."""
        return await self._judge(run, options, partial(judge, data, options, Answers(), embedded, NO_MODELS))

    def close(self) -> None:
        """Stops the threads as soon as their current images are done."""
        self._threads.close()

    async def _judge(
        self, run: ChunkRun, options: CrawlOptions, begin: Callable[[], "Judged | AwaitingMemory | Rejected"]
    ) -> "Judged | Rejected":
        """Judges an image in a thread. An image that needs much memory waits for it without holding a thread."""
        judged = await self._threads.run(begin)
        from shared.crawling.judging.judge import AwaitingMemory, judge_with_memory

        while isinstance(judged, AwaitingMemory):
            async with run.waiting():
                share = await self._pixels.take(judged.needed_bytes)
            # the thread needs the memory to its end, even if this task is cancelled
            give_back = partial(self._pixels.give_back, share)
            judged = await self._threads.run(partial(judge_with_memory, judged, options), give_back)
        return judged
