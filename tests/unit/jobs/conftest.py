"""The job steps over memory: the app's own services, with a worker that needs no network."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import pytest

from shared.archiving.archiver import Archiver
from shared.candidates import Candidate, Provenance
from shared.clock import Deadline
from shared.crawling.chunk import Chunk, ChunkResult
from shared.datasets.catalog import Catalog
from shared.jobs.archive import Archive
from shared.jobs.chunk_ledger import ChunkLedger
from shared.jobs.crawl import Crawl, CrawlConfig
from shared.jobs.discover import Discover, DiscoverConfig
from shared.jobs.intake import Intake
from shared.jobs.job_store import JobStore
from shared.jobs.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE
from shared.jobs.spec import parse_spec
from shared.jobs.submit import Submission, Submit
from shared.jobs.transitions import Transitions
from shared.jobs.watchdog import Watchdog, WatchdogConfig
from shared.jobs.webhook import WebhookCaller
from shared.records import ImageFacts, Kept, Reason, Record, Rejected
from shared.sources import registry
from shared.sources.registry import SourceContext, SourceKind, SourceSettings
from shared.sources.source import Page, Query, SourceConfig
from shared.storage.memory_blobs import MemoryBlobs
from shared.storage.memory_entities import MemoryEntities
from shared.storage.memory_queues import MemoryQueues
from shared.telemetry.recording import RecordingTelemetry
from shared.web.client import WebRequest, WebResponse

QUEUES = (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE)


class ManualClock:
    """Time that passes when it is told to; `tick` seconds with each look at the monotonic clock."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)
        self.seconds = 0.0
        self.tick = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        self.seconds += self.tick
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.seconds += seconds


class CountingIds:
    def __init__(self) -> None:
        self._numbers = count(1)

    def job_id(self, _now: datetime) -> str:
        return f"job{next(self._numbers)}"

    def nonce(self) -> str:
        return f"n{next(self._numbers)}"


class FakeConfig(SourceConfig):
    """`total` candidates under each label, `fail` an error for the first pages."""

    type: str = "fake"
    total: int = 100
    page: int = 10


class FakeSource:
    errors: list[Exception] = []  # noqa: RUF012 - set by the tests, cleared by the fixture

    def __init__(self, config: FakeConfig) -> None:
        self._config = config

    def queries(self, labels: Mapping[str, Sequence[str]]) -> Sequence[Query]:
        return [Query(label, label, label) for label in labels]

    async def pages(self, query: Query, cursor: str | None) -> AsyncGenerator[Page]:
        for start in range(int(cursor or 0), self._config.total, self._config.page):
            if self.errors:
                raise self.errors.pop(0)
            end = min(start + self._config.page, self._config.total)
            found = tuple(
                Candidate(f"http://x/{query.label}/{number}", str(query.label), Provenance("fake"))
                for number in range(start, end)
            )
            yield Page(found, str(end) if end < self._config.total else None)


class FakeWorker:
    """Keeps each candidate as a few bytes of its own, rejects every tenth; `budget` candidates a run."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        self._blobs = blobs
        self.fetched: list[int] = []
        self.budget = 10_000
        self.before: Callable[[], object] | None = None

    async def work(self, chunk: Chunk, deadline: Deadline, stop: Callable[[], bool]) -> ChunkResult:
        del deadline, stop
        if self.before is not None:
            before, self.before = self.before, None
            found = before()
            if hasattr(found, "__await__"):
                await found
        records, data = [], b""
        for index, candidate in list(zip(chunk.indices, chunk.candidates, strict=True))[: self.budget]:
            self.fetched.append(index)
            outcome: Kept | Rejected = Rejected(Reason.TIMED_OUT)
            if index % 10 != 9:
                picture = candidate.url.encode()
                outcome = Kept(chunk.shard, len(data), _facts(picture, index))
                data += picture
            records.append(Record(index, candidate, outcome))
        await self._blobs.put(chunk.shard, data)
        return ChunkResult(tuple(records), tuple(range(len(records), len(chunk.candidates))))


def _facts(data: bytes, index: int) -> ImageFacts:
    import hashlib
    import zlib

    digest = hashlib.sha256(data).hexdigest()
    del index
    return ImageFacts("jpeg", 100, 100, len(data), digest, zlib.crc32(data), digest[:16])


class FakeWeb:
    def __init__(self) -> None:
        self.sent: list[WebRequest] = []
        self.status = 200

    async def send(self, request: WebRequest) -> WebResponse:
        self.sent.append(request)
        return WebResponse(self.status, request.url, {}, b"")


@pytest.fixture
def flow(monkeypatch):  # noqa: C901 - it is the whole app
    """All steps, and `run()` to work the queues until they are empty."""
    kinds = {**registry._KINDS, "fake": SourceKind(FakeConfig, lambda config, _: FakeSource(config))}
    registry._all_kinds.cache_clear()
    monkeypatch.setattr(registry, "_KINDS", kinds)
    FakeSource.errors = []
    blobs, entities, queues = MemoryBlobs(), MemoryEntities(), MemoryQueues()
    telemetry, clock, ids, web = RecordingTelemetry(), ManualClock(), CountingIds(), FakeWeb()
    jobs, ledger = JobStore(entities, blobs), ChunkLedger(entities)
    transitions = Transitions(jobs, ledger, queues, WebhookCaller(jobs, web, telemetry), clock)
    worker = FakeWorker(blobs)
    sources = SourceContext(web, blobs, SourceSettings(), clock)
    catalog = Catalog(entities, blobs, blobs, link_seconds=3600)
    submit = Submit(jobs, entities, queues, SourceSettings(), clock, ids)
    discover = Discover(
        jobs, ledger, blobs, queues, transitions, sources, clock, ids, DiscoverConfig(chunk_size=20)
    )
    crawl = Crawl(jobs, ledger, blobs, queues, transitions, worker, telemetry, clock, ids, CrawlConfig(0.01))
    archiver = Archiver(blobs, blobs, telemetry, clock)
    archive = Archive(jobs, ledger, queues, transitions, archiver, catalog, telemetry, clock)
    intake = Intake(submit, discover, crawl, archive, jobs, transitions, telemetry, "admin")
    watchdog = Watchdog(jobs, ledger, queues, transitions, telemetry, clock, WatchdogConfig())
    space = SimpleNamespace(**{k: v for k, v in locals().items() if k not in {"monkeypatch", "kinds"}})

    def deadline(seconds: float = 1000.0) -> Deadline:
        return Deadline.after(clock, seconds)

    async def send(data: object, **spec: object):
        del spec
        return await submit.run(Submission("admin", parse_spec(data)))

    async def handle(queue: str, text: str, number: int = 0) -> None:
        if queue == JOBS_QUEUE:
            await intake.job_message(f"m{number}", text, deadline())
        elif queue == CHUNKS_QUEUE:
            await intake.chunk_message(text, deadline())
        else:
            await intake.archive_message(f"m{number}", text, deadline())

    async def run(times: int = 1) -> None:
        """Work until nothing waits; each message is handled `times` times."""
        for number in range(500):
            taken = [
                (queue, text)
                for queue in (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE)
                for text in queues.take(queue)
            ]
            if not taken:
                return
            for queue, text in taken:
                for _ in range(times):
                    await handle(queue, text, number)
        raise AssertionError("the queues never run empty: " + json.dumps(queues.sent)[-500:])

    space.source = FakeSource
    space.deadline, space.send, space.handle, space.run = deadline, send, handle, run
    yield space
    registry._all_kinds.cache_clear()
