"""`python -m bench.engine URLS [CONNECTION]`: crawls images with the app's crawl engine, and keeps them in memory.

With a connection string of Azurite, the engine claims its places at each host in a table, as all processes of the app
do. Without one, nothing limits the processes together. Prints the seconds and the seconds of processor time, without
those of a few images before, and of a claim on another host, which creates the table and a connection.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from itertools import batched
from pathlib import Path

from shared.clock import Deadline, SystemClock
from shared.concurrency import process_concurrently
from shared.crawling.chunk import Chunk
from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.fetching.fetch import Fetcher
from shared.crawling.fetching.fetch_config import FetchConfig
from shared.crawling.fetching.host_rows import HostRows, Need
from shared.crawling.options import CrawlOptions, Filters
from shared.crawling.worker import ChunkWorker, WorkerConfig
from shared.ids import RandomIds
from shared.records.candidates import Candidate, NumberedCandidate, Provenance
from shared.runtime import Runtime
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.entities import AzureEntities
from shared.storage.memory.blobs import MemoryBlobs
from shared.telemetry.recording import NoTelemetry
from shared.web.http.aiohttp_client import AiohttpWebClient
from shared.web.http.session import SessionConfig, Sessions
from shared.web.wishes.host_wishes import HostWishes
from shared.web.wishes.respect import Respect

# as many as an instance crawls at once, so that a host gets several requests at a time
_CHUNKS_AT_A_TIME = 4
_CHUNK = 750
# so that libraries are imported before the measurement, and hosts are known
_WARM_UP = 64
_OTHER_HOST = "other.test:80"
_NEED = Need(wanted=1, holds=0, limit=1, rest_until=0.0)
_SECONDS = 600
_OPTIONS = CrawlOptions(Filters(), None, Respect())


async def _run(urls: Sequence[str], connection: str | None) -> None:
    clock = SystemClock()
    sessions, budget = Sessions(SessionConfig("bench", allow_private_networks=True)), ByteBudget(1 << 30)
    wishes = HostWishes.over(AiohttpWebClient(sessions))
    entities = AzureEntities(StorageAccount(connection)) if connection else None
    rows = HostRows.gathering(entities, clock, RandomIds().nonce()) if entities is not None else None
    fetcher = Fetcher(sessions, wishes, budget, FetchConfig(), rows=rows)
    runtime = Runtime(clock, RandomIds(), NoTelemetry())
    worker = ChunkWorker(fetcher, budget, MemoryBlobs(), runtime, WorkerConfig())

    async def crawl(part: Sequence[str]) -> None:
        await _crawl(worker, part)

    await crawl(urls[:_WARM_UP])
    if rows is not None:
        await rows.release(_OTHER_HOST, 0.0, await rows.claim(_OTHER_HOST, _NEED, None))
    began, used = time.perf_counter(), time.process_time()
    await process_concurrently(batched(urls, _CHUNK, strict=False), crawl, _CHUNKS_AT_A_TIME)
    print(time.perf_counter() - began, time.process_time() - used)
    await worker.close()
    await sessions.close()
    if entities is not None:
        await entities.close()


async def _crawl(worker: ChunkWorker, urls: Sequence[str]) -> None:
    numbered = [
        NumberedCandidate(index, Candidate(url, "photo", Provenance("bench")))
        for index, url in enumerate(urls)
    ]
    chunk = Chunk(numbered, f"shard of {urls[0]}", _OPTIONS)
    result = await worker.work(chunk, Deadline.after(SystemClock(), _SECONDS), lambda: False)
    if len(result.records) != len(urls):
        raise RuntimeError("the worker did not finish")


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]).read_text().split(), sys.argv[2] if sys.argv[2:] else None))
