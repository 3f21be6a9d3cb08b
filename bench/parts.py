"""`python -m bench.parts URLS FOLDER`: measures the parts of the crawl engine in one process, without storage services.

Prints one line for each part: its name and the milliseconds of processor time per image. The download with every check
contains the plain download, judging contains decoding, and the worker contains all of them. So the difference of two
lines is the cost of what the larger part adds. A whole job takes more than the worker: queues, tables, blobs and the
archive.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import simplejpeg

from shared.clock import Deadline, SystemClock
from shared.concurrency import process_concurrently
from shared.crawling.chunk import Chunk
from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.fetching.fetch import Fetcher
from shared.crawling.fetching.fetch_config import FetchConfig
from shared.crawling.fetching.patience import Patience
from shared.crawling.judging.inspect import inspect
from shared.crawling.options import CrawlOptions, Filters, Resize, Transform
from shared.crawling.worker import ChunkWorker, WorkerConfig
from shared.ids import RandomIds
from shared.records.candidates import Candidate, NumberedCandidate, Provenance
from shared.records.consent import Answers
from shared.runtime import Runtime
from shared.storage.memory.blobs import MemoryBlobs
from shared.telemetry.recording import NoTelemetry
from shared.web.http.aiohttp_client import AiohttpWebClient
from shared.web.http.session import SessionConfig, Sessions
from shared.web.wishes.host_wishes import HostWishes
from shared.web.wishes.respect import Respect

_IMAGES = 2000
_CONCURRENCY = 64
_CHUNK = 256
_RESIZED = Transform(resize=Resize(mode="fit", size=256), format="jpeg", quality=95)


class _Parts:
    def __init__(self, urls: list[str], folder: Path) -> None:
        self._urls = urls
        self._files = [(folder / url.rsplit("/", 1)[1]).read_bytes() for url in urls]
        self._threads = ThreadPoolExecutor(os.cpu_count())
        self._sessions = Sessions(SessionConfig("bench", allow_private_networks=True))
        web, budget = AiohttpWebClient(self._sessions), ByteBudget(1 << 30)
        self._fetcher = Fetcher(
            self._sessions, HostWishes.over(web), budget, FetchConfig(per_host=_CONCURRENCY)
        )
        runtime = Runtime(SystemClock(), RandomIds(), NoTelemetry())
        config = WorkerConfig(_CONCURRENCY)
        self._worker = ChunkWorker(self._fetcher, budget, MemoryBlobs(), runtime, config)

    async def run(self) -> None:
        await self._timed("download", self._download)
        await self._timed("download, with every check", self._fetch)
        await self._timed("decode", lambda: self._each(_decode))
        await self._timed("judge", lambda: self._each(lambda data: inspect(data, Filters())))
        await self._timed("worker, originals", lambda: self._work(None))
        await self._timed("worker, resized to 256", lambda: self._work(_RESIZED))
        await self._sessions.close()

    async def _timed(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        began = time.process_time()
        await part()
        print(f"{name}\t{1000 * (time.process_time() - began) / len(self._urls):.4f}", flush=True)

    async def _download(self) -> None:
        async with aiohttp.ClientSession() as session:

            async def fetch(url: str) -> None:
                async with session.get(url) as response:
                    await response.read()

            await process_concurrently(self._urls, fetch, _CONCURRENCY)

    async def _fetch(self) -> None:
        patience = Patience(len(self._urls), Deadline.after(SystemClock(), 600), lambda: False)

        async def fetch(url: str) -> None:
            async with self._fetcher.fetch(url, Filters(), Respect(), patience, Answers()):
                pass

        await process_concurrently(self._urls, fetch, _CONCURRENCY)

    async def _each(self, work: Callable[[bytes], object]) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._threads, work, data) for data in self._files))

    async def _work(self, transform: Transform | None) -> None:
        options = CrawlOptions(Filters(), transform, Respect())
        for start in range(0, len(self._urls), _CHUNK):
            urls = self._urls[start : start + _CHUNK]
            candidates = [
                NumberedCandidate(index, Candidate(url, "photo", Provenance("bench")))
                for index, url in enumerate(urls)
            ]
            chunk = Chunk(candidates, f"shard-{transform}-{start}", options)
            result = await self._worker.work(chunk, Deadline.after(SystemClock(), 600), lambda: False)
            if len(result.records) != len(urls):
                raise RuntimeError("the worker did not finish")


def _decode(data: bytes) -> object:
    return simplejpeg.decode_jpeg(data, "BGR", True, True, 128, 128, 1)


if __name__ == "__main__":
    asyncio.run(_Parts(Path(sys.argv[1]).read_text().split()[:_IMAGES], Path(sys.argv[2])).run())
