"""Finds the images of jobs while their working blobs are stored: images that the crawl has kept, the newest first.

The archive step may leave some of them out of the dataset, such as duplicates.
"""

from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from shared.clock import Clock, Deadline
from shared.damage import reading
from shared.errors import NotFound
from shared.images.image import DerivedFolder, ImageFilter, KeptImage, decode_id, encode_id, facts_of
from shared.images.pages import READ_SECONDS, Batch, Entry, ImagePage, take
from shared.images.recent import Recent
from shared.jobs.job.chunk_ids import chunk_id, number_of
from shared.jobs.job.job import Job
from shared.jobs.ledger.chunk_blobs import read_records
from shared.jobs.ledger.job_data import JobData
from shared.jobs.ledger.record_pieces import Line, Place
from shared.jobs.ledger.rows import ChunkRow
from shared.records.blob_names import job_derived_prefix, work_prefix
from shared.records.candidates import StoredRange
from shared.records.delivered import fields_of
from shared.records.records import Kept, Record

_WINDOW: Final = 32
"""How many numbers of chunks are looked up by one query, from the last ones to the first."""


@dataclass(frozen=True, slots=True)
class JobImages:
    """The images of all jobs."""

    data: JobData
    clock: Clock
    _recent: Recent[tuple[str, str], tuple[Record, ...]] = field(
        default_factory=lambda: Recent(_text_bytes), repr=False
    )

    async def page(self, job: Job, wanted: ImageFilter, place: Place | None, size: int) -> ImagePage:
        """Returns up to `size` images, from the last chunk to the first. There may be fewer, though more follow.

        Raises:
            NotFound: the job's images are deleted.
            Damaged: records cannot be read.
        """
        await self._check(job)
        deadline = Deadline.after(self.clock, READ_SECONDS)
        async with aclosing(self._batches(job, place)) as batches:
            taken = await take(batches, wanted, size, deadline)
        images = [self._image(job, entry.at, entry.line) for entry in taken.entries]
        return ImagePage(images, taken.following)

    async def find(self, job: Job, image_id: str) -> KeptImage:
        """Returns the image with this id.

        Raises:
            NotFound: the job has no such image, or its images are deleted.
            Damaged: records cannot be read.
        """
        await self._check(job)
        place = decode_id(image_id)
        if place is not None and place.chunk:
            chunk = await self.data.ledger.chunk(job.id, place.chunk)
            records = await self._records(job, chunk) if chunk is not None and chunk.done else ()
            if place.lines < len(records):
                line = _line(records[place.lines])
                if ImageFilter().matches(line):
                    return self._image(job, place, line)
        raise NotFound(f"The job {job.id} has no image of this id.")

    async def of_candidates(
        self, job: Job, chunk: ChunkRow, indices: Collection[int]
    ) -> Mapping[int, KeptImage]:
        """Returns the images that a chunk has kept of the candidates with these indices, by the index.

        Raises:
            Damaged: the records of the chunk are gone or cannot be read.
        """
        records = await self._records(job, chunk)
        return {
            record.index: self._image(job, Place(number, chunk.id), _line(record))
            for number, record in enumerate(records)
            if record.index in indices and isinstance(record.outcome, Kept)
        }

    async def _check(self, job: Job) -> None:
        # a job without files may have the id of another user's job
        if not await self.data.jobs.owns_work(job):
            raise NotFound(f"The images of job {job.id} are deleted; those of its dataset may be there.")

    async def _batches(self, job: Job, place: Place | None) -> AsyncGenerator[Batch]:
        """Yields the records of done chunks, from the last chunk to the first.

        A place is after the chunk's lines from `place.lines` on. A place without lines is after the whole chunk.
        """
        if place is None:
            progress = await self.data.ledger.progress(job.id)
            # a chunk that descends from another one has its number, so no number is higher than the sum
            above = chunk_id(progress.added + 1)
        else:
            above = place.chunk
        chunk = await self.data.ledger.chunk(job.id, above) if place is not None and place.lines else None
        if place is not None and chunk is not None and chunk.done:
            yield _batch(chunk, await self._records(job, chunk), place.lines)
        number = number_of(above) if above else 0
        before = await self._chunks_before(job)
        while number > before:
            first = max(before, number - _WINDOW)
            # the tilde is behind all chunks that descend from the named one
            after = f"{chunk_id(max(before, first - 1))}~" if first else ""
            for row in await self._window(job, after, above):
                yield _batch(row, await self._records(job, row))
            # this place keeps the calls bounded, even if the window has no chunk that is done
            number, above = first, chunk_id(first)
            if number > before:
                yield Batch((), Place(chunk=above))

    async def _chunks_before(self, job: Job) -> int:
        """Returns the number of the last chunk that does not count, because a refresh has taken over its images."""
        if job.refresh is None:
            return 0
        discovery = await self.data.discovery.state(job.id)
        return discovery.chunks_before

    async def _window(self, job: Job, after: str, above: str) -> list[ChunkRow]:
        """Returns the done chunks whose names are after `after` and below `above`, the last one first."""
        rows: list[ChunkRow] = []
        async for row in self.data.ledger.chunks(job.id, after=after):
            if row.id >= above:
                break
            if row.done:
                rows.append(row)
        return rows[::-1]

    async def _records(self, job: Job, chunk: ChunkRow) -> tuple[Record, ...]:
        async def read() -> tuple[Record, ...]:
            return tuple(await read_records(self.data.storage.blobs, job.id, chunk.id))

        return await self._recent.get((job.id, chunk.id), read)

    def _image(self, job: Job, at: Place, line: Line) -> KeptImage:
        with reading(f"the records of chunk {at.chunk}"):
            facts = facts_of(line)
            if not facts.blob.startswith(work_prefix(job.id)):
                raise ValueError("the image is no working blob of the job")

        async def exists() -> bool:
            stored = await self.data.jobs.get(job.user_id, job.id)
            return stored is not None and await self.data.jobs.owns_work(stored)

        stored = StoredRange(facts.blob, facts.offset, facts.size_bytes)
        folder = DerivedFolder(job_derived_prefix(job.id), job.user_id, exists)
        return KeptImage(encode_id(at), facts, stored, folder)


def _text_bytes(records: tuple[Record, ...]) -> int:
    """Returns about how large the long texts of the records are."""
    candidates = (record.candidate for record in records)
    return sum(len(one.url) + sum(map(len, one.extra.values())) for one in candidates)


def _batch(chunk: ChunkRow, records: tuple[Record, ...], lines: int | None = None) -> Batch:
    return Batch(_entries(chunk.id, records[:lines]), Place(chunk=chunk.id))


def _entries(chunk: str, records: tuple[Record, ...]) -> Iterator[Entry]:
    for number in range(len(records) - 1, -1, -1):
        place = Place(number, chunk)
        yield Entry(place, place, _line(records[number]))


def _line(record: Record) -> Line:
    line = fields_of(record)
    if isinstance(record.outcome, Kept):
        line |= {"blob": record.outcome.shard, "offset": record.outcome.offset}
    return line
