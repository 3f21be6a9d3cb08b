"""The stored bytes are those that were judged. The records have their size, checksum and mended parts."""

import hashlib
import io
import zlib

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from shared.clock import Deadline, SystemClock
from shared.crawling.chunk import Chunk
from shared.crawling.options import CrawlOptions, Filters, Transform
from shared.records.candidates import Candidate, NumberedCandidate, Provenance
from shared.records.records import Kept, Record, decode_records, encode_records
from shared.storage.memory.blobs import MemoryBlobs
from shared.web.wishes.respect import Respect
from tests.corpus.make_images import FILES
from tests.unit.crawling.judging.pictures import encoded

FILTERS = Filters(min_width=1, min_height=1)
JPEG = encoded("JPEG")
STRAY = JPEG[:-2] + bytes(5) + JPEG[-2:]


@pytest.fixture
def kept(make_worker):
    async def keep(data: bytes, transform: Transform | None = None) -> tuple[bytes, Record]:
        blobs = MemoryBlobs()
        await blobs.put("inputs/a", data)
        candidates = [NumberedCandidate(0, Candidate("blob:inputs/a", "x", Provenance("test")))]
        chunk = Chunk(candidates, "shard-1", CrawlOptions(FILTERS, transform, Respect()))
        deadline = Deadline.after(SystemClock(), 30)
        result = await make_worker(blobs).work(chunk, deadline, lambda: False)
        (record,) = result.records
        assert isinstance(record.outcome, Kept), record
        return await blobs.get("shard-1"), record

    return keep


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("mended/")])
async def test_the_record_of_a_mended_file_describes_the_stored_bytes(kept, name):
    stored, record = await kept(FILES[name])
    facts = record.outcome.facts
    assert stored != FILES[name]
    assert facts.sha256 == hashlib.sha256(stored).hexdigest()
    assert (facts.size_bytes, facts.crc32) == (len(stored), zlib.crc32(stored))
    assert facts.mended in {"notes", "transparency", "animation", "profile", "frames"}
    assert list(decode_records(encode_records([record]))) == [record]
    again, second = await kept(stored)
    assert again == stored
    assert second.outcome.facts.mended == ""


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("kept/")])
async def test_a_file_that_needs_no_mending_is_stored_unchanged(kept, name):
    stored, record = await kept(FILES[name])
    assert stored == FILES[name]
    assert record.outcome.facts.mended == ""


async def test_a_mended_jpeg_is_stored_without_the_parts_that_strict_readers_refuse(kept):
    with pytest.raises(ValueError, match="extraneous"):
        simplejpeg.decode_jpeg(STRAY)
    stored, record = await kept(STRAY)
    assert record.outcome.facts.mended == "segments"
    assert np.array_equal(simplejpeg.decode_jpeg(stored), simplejpeg.decode_jpeg(JPEG))


async def test_the_record_of_a_mended_file_that_is_encoded_anew_names_no_mended_part(kept):
    stored, record = await kept(STRAY, Transform(format="png"))
    assert record.outcome.facts.mended == ""
    with Image.open(io.BytesIO(stored)) as image:
        assert image.size == (320, 240)
