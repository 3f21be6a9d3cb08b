"""Makes workers for tests, with storage in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.fetching.fetch import Fetcher
from shared.crawling.fetching.fetch_config import FetchConfig
from shared.crawling.image_checks import NO_CHECKS, ImageChecks
from shared.crawling.worker import ChunkWorker, WorkerConfig
from shared.storage.memory.blobs import MemoryBlobs
from shared.web.http.aiohttp_client import AiohttpWebClient
from shared.web.http.session import SessionConfig, Sessions
from shared.web.wishes.host_wishes import HostWishes
from tests.unit.in_memory import runtime_of


@asynccontextmanager
async def working(
    blobs: MemoryBlobs, config: WorkerConfig, checks: ImageChecks = NO_CHECKS
) -> AsyncIterator[ChunkWorker]:
    sessions = Sessions(SessionConfig("test", allow_private_networks=True))
    budget = ByteBudget(8_000_000)
    web = AiohttpWebClient(sessions)
    fetcher = Fetcher(sessions, HostWishes.over(web), budget, FetchConfig(first_pause_seconds=0.01))
    worker = ChunkWorker(fetcher, budget, blobs, runtime_of(), config, checks)
    try:
        yield worker
    finally:
        await worker.close()
        await sessions.close()
