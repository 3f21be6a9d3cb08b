"""A worker without a network, which dies on demand."""

import asyncio
import hashlib
import zlib
from collections.abc import Callable

from shared.clock import Deadline
from shared.crawling.chunk import Chunk, ChunkResult
from shared.records.candidates import Known, NumberedCandidate
from shared.records.facts import ImageFacts
from shared.records.records import Kept, Reason, Record, Rejected
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.jobs.weather import Weather


class Crash(Exception):
    """Stands for the death of a process while it works on a chunk."""


class FakeWorker:
    """Keeps each candidate as a few bytes of its own, but for those that `reject` gives a reason for.

    Gets `budget` candidates done in a run, says that it `asked` hosts, and dies where a chunk holds one of `poison`. At
    candidate `stuck_at` it waits until it is told to stop.
    """

    def __init__(self, blobs: MemoryBlobs, weather: "Weather") -> None:
        self._blobs = blobs
        self._weather = weather
        self.fetched: list[int] = []
        self.budget = 10_000
        self.poison: set[int] = set()
        self.stuck_at = -1
        self.asked = False
        self.opted_out: set[str] = set()
        self.reject: Callable[[int], Reason | None] = lambda index: (
            Reason.TIMED_OUT if index % 10 == 9 else None
        )
        self.before: Callable[[], object] | None = None

    async def work(self, chunk: Chunk, deadline: Deadline, stop: Callable[[], bool]) -> ChunkResult:
        del deadline
        if self.before is not None:
            before, self.before = self.before, None
            found = before()
            if hasattr(found, "__await__"):
                await found
        if self.poison & {numbered.index for numbered in chunk.candidates}:
            raise Crash
        records, data = [], b""
        for numbered in chunk.candidates[: self.budget]:
            index, candidate = numbered.index, numbered.candidate
            await self._weather.pause()
            while index == self.stuck_at and not stop():  # noqa: ASYNC110 - `stop` is a question, not an event
                await asyncio.sleep(0.001)
            if stop():
                break
            known = candidate.known
            if known is not None:
                record, copied = await self._take_over(chunk, numbered, known, len(data))
                records.append(record)
                data += copied
                continue
            self.fetched.append(index)
            reason = self.reject(index)
            outcome: Kept | Rejected
            if reason is not None:
                outcome = Rejected(reason)
            else:
                picture = candidate.url.encode()
                outcome = Kept(chunk.shard, len(data), _facts(picture))
                data += picture
            records.append(Record(index, candidate, outcome))
        await self._blobs.put(chunk.shard, data)
        return ChunkResult(tuple(records), tuple(chunk.candidates[len(records) :]), self.asked)

    async def _take_over(
        self, chunk: Chunk, numbered: NumberedCandidate, known: Known, offset: int
    ) -> tuple[Record, bytes]:
        """Returns the record of a known candidate and its bytes, as the worker does."""
        stored, gone = numbered.candidate.stored, not known.listed
        outcome: Kept | Rejected
        data = b""
        if known.facts is None or stored is None:
            outcome = Rejected(Reason(known.reason), known.detail)
        elif numbered.candidate.url in self.opted_out:
            outcome = Rejected(Reason.ROBOTS_DENIED)
        elif gone and chunk.options.remove_gone:
            outcome = Rejected(Reason.NOT_FOUND)
        else:
            data = await self._blobs.get(stored.blob, offset=stored.offset, length=stored.size)
            assert hashlib.sha256(data).hexdigest() == known.facts.sha256
            outcome = Kept(chunk.shard, offset, known.facts)
        return Record(numbered.index, numbered.candidate, outcome, gone=gone), data


def _facts(data: bytes) -> ImageFacts:
    digest = hashlib.sha256(data).hexdigest()
    return ImageFacts("jpeg", 100, 100, len(data), digest, zlib.crc32(data), digest[:16])
