"""`python -m bench.simulation CANDIDATES`: runs one job of this size with storage in memory and without network.

The app is wired as usual, except for storage and the crawl engine: a rule decides which candidates are kept and which
images are duplicates. The archive is planned and its parts are queued, but the parts are not written. This needs an
archive of several parts, so there must be about 50,000 candidates or more. Prints one line of JSON.
"""

import asyncio
import hashlib
import inspect
import json
import sys
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

from bench.usage import high_water_mb
from shared.clock import Deadline
from shared.crawling.chunk import Chunk, ChunkResult
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission
from shared.records.candidates import Candidate
from shared.records.facts import ImageFacts
from shared.records.records import Kept, Reason, Record, Rejected
from shared.settings import Settings
from shared.storage.blobs import BlobAttributes
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.storage.memory.queues import MemoryQueues
from shared.telemetry.recording import RecordingTelemetry
from shared.users.caller import ADMIN
from shared.wiring import App

# The share of candidates in the dataset: 10 % are rejected, 5 % are duplicates, and 5 % are near-duplicates.
_SELECTED = 0.8
_LIST = "inputs/million.csv"
_LABELS = 100
# Tables and lists of blobs return this many items per call.
_PAGE_ROWS = 1000
_NEAR_BITS = 0b111 << 20


class _Blobs(MemoryBlobs):
    """Stores blobs but drops blocks. Planning writes the dataset's texts as blocks, which are not read here."""

    async def stage(self, name: str, number: int, data: bytes | memoryview) -> None:
        """See `BlockStore.stage`."""

    async def commit(self, name: str, numbers: Sequence[int], attributes: BlobAttributes) -> None:
        """See `BlockStore.commit`."""


class _CountedStore:
    """Counts the calls of a store: one for each page of a list, and one for each piece of a stream."""

    def __init__(self, store: object, calls: Counter[str]) -> None:
        self._store = store
        self._calls = calls

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._store, name)

        def call(*args: object, **options: object) -> object:
            self._calls[name] += 1
            return method(*args, **options)

        async def paged(*args: object, **options: object) -> AsyncIterator[object]:
            page = 1 if name == "stream" else _PAGE_ROWS
            number = 0
            async for item in method(*args, **options):
                self._calls[name] += number % page == 0
                number += 1
                yield item
            self._calls[name] += number == 0

        return paged if inspect.isasyncgenfunction(method) else call


class _Worker:
    """Takes the place of the crawl engine. A candidate's index decides its outcome, without any fetching."""

    async def work(self, chunk: Chunk, deadline: Deadline, stop: Callable[[], bool]) -> ChunkResult:
        """See `ChunkWorker.work`."""
        del deadline, stop
        records: list[Record] = []
        offset = 0
        for numbered in chunk.candidates:
            index = numbered.index
            outcome: Kept | Rejected = Rejected(Reason.TIMED_OUT)
            if index % 10 != 9:
                outcome = Kept(chunk.shard, offset, _facts(index))
                offset += outcome.facts.size_bytes
            records.append(_record(index, numbered.candidate, outcome))
        return ChunkResult(tuple(records))


def _record(index: int, candidate: Candidate, outcome: Kept | Rejected) -> Record:
    return Record(index, candidate, outcome, candidate.url, "2026-01-01T00:00:00+00:00")


def _facts(index: int) -> ImageFacts:
    """Returns the facts of image `index`. Of 20 images, one equals the image before it and one is similar to it."""
    same, near = index % 20 == 5, index % 20 == 15
    sha256 = hashlib.sha256(b"%d" % (index - same)).digest()
    looks = hashlib.sha256(b"%d" % (index - same - near)).digest()[:8]
    perceptual_hash = int.from_bytes(looks) ^ (_NEAR_BITS if near else 0)
    return ImageFacts(
        format="jpeg",
        width=640,
        height=480 - near,
        size_bytes=20_000 + int.from_bytes(sha256[8:10]) % 20_000,
        sha256=sha256.hex(),
        crc32=zlib.crc32(sha256),
        perceptual_hash=f"{perceptual_hash:016x}",
        sharpness=123.4,
        brightness=0.5,
        contrast=0.25,
        entropy=7.1,
        dominant_color="#808080",
    )


class _Simulation:
    """Runs the app with stores in memory, and handles the messages of its queues one after another."""

    def __init__(self, candidates: int) -> None:
        self._candidates = candidates
        self._blobs, self._queues = _Blobs(), MemoryQueues()
        self._telemetry, self._calls = RecordingTelemetry(), Counter[str]()
        self._app = App(Settings(archive_part_bytes=1 << 30))
        # values in the instance's dict take precedence over the cached properties that would make them
        vars(self._app).update(
            blobs=_CountedStore(self._blobs, self._calls),
            entities=_CountedStore(MemoryEntities(), self._calls),
            queues=_CountedStore(self._queues, self._calls),
            telemetry=self._telemetry,
            worker=_Worker(),
        )
        self._steps: dict[str, dict[str, float]] = {}

    async def run(self) -> dict[str, object]:
        """Runs the job up to the planned archive and returns the figures of its steps.

        Raises:
            RuntimeError: the job is in another state, or its archive has another number of images, than expected.
        """
        rows = (f"https://example.org/{number}.jpg,{number % _LABELS}" for number in range(self._candidates))
        await self._blobs.put(_LIST, "\n".join(["url,label", *rows]).encode())
        spec = self._app.specs.parse({"sources": [{"type": "urls", "blob": _LIST}]})
        job = await self._app.submit.run(Submission(ADMIN, spec))
        self._calls.clear()
        for step, queue in (("discovery", JOBS_QUEUE), ("crawl", CHUNKS_QUEUE), ("planning", ARCHIVES_QUEUE)):
            await self._timed(step, queue)
        job = await self._app.job_data.jobs.require(ADMIN, job.id)
        uploads = self._telemetry.named("dataset_upload_started")
        planned = [signal.properties["image_count"] for signal in uploads]
        if job.state is not State.ARCHIVING or planned != [round(self._candidates * _SELECTED)]:
            raise RuntimeError(f"the job went wrong: {job.state}, planned {planned}")
        stored = sum([info.size_bytes async for info in self._blobs.list("")]) / 1e6
        return {"steps": self._steps, "stored_mb": stored}

    async def _timed(self, step: str, queue: str) -> None:
        """Handles the messages of a queue until it is empty.

        Of the archive queue it handles only the first message, which plans the archive and queues its parts.
        """
        began, messages, before = time.perf_counter(), 0, self._calls.total()
        while taken := self._queues.take(queue):
            for text in taken:
                await self._handle(queue, text)
            messages += len(taken)
            if queue == ARCHIVES_QUEUE:
                break
        self._steps[step] = {
            "seconds": time.perf_counter() - began,
            "messages": messages,
            "calls": self._calls.total() - before,
            "peak_mb": high_water_mb(),
        }

    async def _handle(self, queue: str, text: str) -> None:
        intake, deadline = self._app.intake, self._app.deadline()
        if queue == JOBS_QUEUE:
            await intake.handle_job("", text, deadline)
        elif queue == CHUNKS_QUEUE:
            await intake.handle_chunk(text, deadline)
        else:
            await intake.handle_archive("", text, deadline)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_Simulation(int(sys.argv[1])).run())))
