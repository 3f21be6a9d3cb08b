"""Images of a chunk that are next to each other in storage are read together, in bounded memory."""

import asyncio

import pytest

from shared.crawling.stored_reads import KEPT_READS, StoredReads
from shared.errors import NotFound, Unavailable
from shared.records.candidates import Candidate, NumberedCandidate, Provenance, StoredRange
from shared.storage.memory.blobs import MemoryBlobs

SIZE = 60_000
BYTES = [bytes([number % 256]) * SIZE for number in range(500)]
PLACES = [StoredRange("file", number * SIZE, SIZE) for number in range(500)]


class Counting(MemoryBlobs):
    """Notes the sizes of all reads. The next ones may fail."""

    def __init__(self):
        super().__init__()
        self.sizes = []
        self.failures = 0
        self.reading = self.most_reading = 0

    async def get(self, name, *, offset=0, length=None):
        if self.failures:
            self.failures -= 1
            raise Unavailable("no answer")
        self.reading += 1
        self.most_reading = max(self.reading, self.most_reading)
        await asyncio.sleep(0)
        self.reading -= 1
        self.sizes.append(length)
        return await super().get(name, offset=offset, length=length)


@pytest.fixture
async def blobs():
    found = Counting()
    await found.put("file", b"".join(BYTES))
    return found


def reads_of(blobs, places=PLACES):
    candidates = [
        Candidate(f"http://a.example/{n}", "cat", Provenance("test"), stored=place)
        for n, place in enumerate(places)
    ]
    return StoredReads(blobs, [NumberedCandidate(n, one) for n, one in enumerate(candidates)])


async def test_neighbours_are_read_by_few_calls_also_if_many_tasks_want_them(blobs):
    reads = reads_of(blobs)
    found = []
    for first in range(0, 500, 64):
        found += await asyncio.gather(*map(reads.get, PLACES[first : first + 64]))
    assert found == BYTES
    assert len(blobs.sizes) == 8
    assert sum(blobs.sizes) == 500 * SIZE
    assert max(blobs.sizes) <= 4 << 20


async def test_in_any_order_at_most_twice_the_bytes_are_read_and_few_are_in_memory(blobs):
    reads = reads_of(blobs)
    order = [number * 137 % 500 for number in range(500)]
    for number in order:
        assert await reads.get(PLACES[number]) == BYTES[number]
        assert len(reads._kept) <= KEPT_READS
    assert sum(blobs.sizes) <= 2 * 500 * SIZE


async def test_many_tasks_with_different_neighbours_read_two_of_them_at_a_time(blobs):
    reads = reads_of(blobs)
    places = PLACES[::64]
    assert await asyncio.gather(*map(reads.get, places)) == BYTES[::64]
    assert (len(blobs.sizes), blobs.most_reading) == (7, 2)


async def test_images_that_are_far_from_each_other_are_read_one_by_one(blobs):
    reads = reads_of(blobs, PLACES[::50])
    assert [await reads.get(place) for place in PLACES[::50]] == BYTES[::50]
    assert blobs.sizes == [SIZE] * 10


async def test_if_the_call_that_reads_fails_or_is_cancelled_another_one_reads(blobs):
    reads = reads_of(blobs)
    blobs.failures = 1
    found = await asyncio.gather(*map(reads.get, PLACES[:3]), return_exceptions=True)
    assert isinstance(found[0], Unavailable)
    assert found[1:] == BYTES[1:3]
    reads = reads_of(blobs)
    tasks = [asyncio.create_task(reads.get(place)) for place in PLACES[:2]]
    await asyncio.sleep(0)
    tasks[0].cancel()
    assert await tasks[1] == BYTES[1]


async def test_a_blob_that_is_shorter_or_gone_is_noticed_by_each_image(blobs):
    await blobs.put("file", BYTES[0] + BYTES[1][:9])
    reads = reads_of(blobs)
    assert [await reads.get(place) for place in PLACES[:3]] == [BYTES[0], BYTES[1][:9], b""]
    await blobs.delete("file")
    reads = reads_of(blobs)
    for place in PLACES[:3]:
        with pytest.raises(NotFound):
            await reads.get(place)
