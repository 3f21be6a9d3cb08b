"""An archive is written in parts, in any order and at the same time, on every implementation of storage."""

import asyncio
import hashlib
import io
import random
import zipfile
import zlib
from collections import Counter
from datetime import UTC, datetime

import pytest

from shared.archiving.archiver import Archiver, Progress
from shared.archiving.options import Dedup, Output, Splits
from shared.archiving.order import ArchiveOrder
from shared.archiving.planning.planner import PlanConfig
from shared.clock import Deadline, SystemClock
from shared.records.candidates import Candidate, Provenance
from shared.records.facts import ImageFacts
from shared.records.records import Kept, Record, encode_records
from shared.storage.memory.queues import MemoryQueues
from shared.storage.storage import Storage
from tests.expect import present
from tests.unit.in_memory import runtime_of

COUNT, SIZE = 60, 5000


def _facts(data: bytes) -> ImageFacts:
    digest = hashlib.sha256(data).hexdigest()
    return ImageFacts("jpeg", 10, 10, len(data), digest, zlib.crc32(data), digest[:16])


@pytest.mark.parametrize("form", ["zip", "webdataset", "parquet"])
async def test_parts_become_one_archive(blobs, entities, unique, form):
    pictures = [random.Random(number).randbytes(SIZE) for number in range(COUNT)]
    prefix = f"work/{unique}/"
    await blobs.put(f"{prefix}shard", b"".join(pictures))
    records = [
        Record(
            number,
            Candidate(f"https://x/{number}", "a", Provenance("urls")),
            Kept(f"{prefix}shard", number * SIZE, _facts(data)),
        )
        for number, data in enumerate(pictures)
    ]
    await blobs.put(f"{prefix}records", encode_records(records))
    order = ArchiveOrder(
        job_id=unique,
        name="parts",
        created_at=datetime(2026, 1, 2, tzinfo=UTC),
        record_blobs=(f"{prefix}records",),
        max_images_per_label=None,
        dedup=Dedup(near_distance=None),
        splits=Splits(),
        output=Output(format=form, shard_size=100_000),
        seed=0,
        prefix=f"datasets/{unique}/",
        work_prefix=prefix,
    )
    clock = SystemClock()
    config = PlanConfig(part_bytes=50_000, block_bytes=20_000)
    storage = Storage(blobs, entities, MemoryQueues())
    archiver = Archiver(storage, runtime_of(clock), config)
    deadline = Deadline.after(clock, 100)
    plan = await archiver.begin(order, deadline)
    missing = list(await archiver.find_missing(plan))
    assert len(missing) > 3
    random.Random(0).shuffle(missing)
    ended = await asyncio.gather(*(archiver.write_part(plan, part, deadline) for part in missing))
    assert Counter(ended) == {Progress.ALL_WRITTEN: 1, Progress.PART_WRITTEN: len(missing) - 1}
    archived = present(await archiver.finish(plan, deadline))
    assert await archiver.finish(plan, deadline) == archived
    for name in archived.blobs:
        data = await blobs.get(name)
        assert archived.checksums[name].sha256 == hashlib.sha256(data).hexdigest()
    if form == "zip":
        with zipfile.ZipFile(io.BytesIO(await blobs.get(archived.blobs[0]))) as archive:
            assert archive.testzip() is None
            assert [archive.read(name) for name in archive.namelist()[:COUNT]] == pictures
    assert await archiver.write_part(plan, 0, deadline) is Progress.ALL_WRITTEN
