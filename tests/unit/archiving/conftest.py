"""Stores small pictures in shards, with their records, and makes an archiver with storage in memory."""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shared.archiving.archiver import Archiver, Progress
from shared.archiving.options import Dedup, Output, Splits
from shared.archiving.order import ArchiveOrder
from shared.archiving.planning.planner import PlanConfig
from shared.archiving.planning.preview import PreviewMaker
from shared.clock import SystemClock
from shared.records.candidates import Candidate, Provenance
from shared.records.facts import ImageFacts
from shared.records.records import Kept, Reason, Record, Rejected, decode_records, encode_records
from shared.storage.memory.blobs import MemoryBlobs
from shared.telemetry.recording import RecordingTelemetry
from tests.unit.in_memory import far_deadline, memory_storage, runtime_of

LABELS = ("cat", "dog", "ünï: a/b")


def picture(number: int) -> bytes:
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 255, (16 + number % 9, 20, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG")
    return out.getvalue()


def facts_of(data: bytes, number: int) -> ImageFacts:
    digest = hashlib.sha256(data).hexdigest()
    return ImageFacts("jpeg", 20, 16 + number % 9, len(data), digest, zlib.crc32(data), digest[:16])


def record_of(index: int, shard: str, offset: int, data: bytes) -> Record:
    provenance = Provenance("urls", license="by", creator=f"Author {index}", title="T")
    caption = f"picture {index}, “quoted”" if index % 2 else None
    candidate = Candidate(f"https://x/{index}", LABELS[index % 3], provenance, caption)
    return Record(index, candidate, Kept(shard, offset, facts_of(data, index)))


@pytest.fixture
async def studio():
    """A studio (see `make_studio`) that makes no previews."""
    return make_studio()


def make_studio(previews_of: Callable[[MemoryBlobs], PreviewMaker] | None = None) -> SimpleNamespace:
    """Stores pictures and makes datasets of them.

    `crawl(count)` stores pictures and returns an order. `archive(order)` makes the dataset, and `zip(order)` makes and
    opens a ZIP. `describe(order, candidate_of)` replaces the candidate of each record by `candidate_of(record)`.
    """
    blobs = MemoryBlobs()
    storage, clock = memory_storage(blobs), SystemClock()
    previews = previews_of(blobs) if previews_of else None
    config = PlanConfig(part_bytes=40_000, block_bytes=10_000)
    telemetry = RecordingTelemetry()
    archiver = Archiver(storage, runtime_of(clock, telemetry), config, previews)

    async def crawl(count: int, job_id: str = "j1", first: int = 0, **changes: Any) -> ArchiveOrder:
        names = []
        for start in range(0, count, 10):
            shard, data, records = f"work/job_{job_id}/shards/{start}", b"", []
            for index in range(start, min(start + 10, count)):
                if index % 10 == 9:
                    candidate = Candidate(f"https://x/{index}", LABELS[index % 3], Provenance("urls"))
                    records.append(Record(index, candidate, Rejected(Reason.TIMED_OUT, "slow")))
                    continue
                found = picture(first + index)
                records.append(record_of(index, shard, len(data), found))
                data += found
            await blobs.put(shard, data)
            names.append(f"work/job_{job_id}/records/{start}")
            await blobs.put(names[-1], encode_records(records))
        order = ArchiveOrder(
            job_id=job_id,
            name="pets",
            created_at=datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC),
            record_blobs=tuple(names),
            max_images_per_label=None,
            dedup=Dedup(near_distance=0),
            splits=Splits(),
            output=Output(),
            seed=0,
            prefix=f"datasets/job_{job_id}/",
            work_prefix=f"work/job_{job_id}/archive/",
        )
        return replace(order, **changes)

    async def archive(order: ArchiveOrder):
        deadline = far_deadline()
        plan = await archiver.begin(order, deadline)
        for part in await archiver.find_missing(plan):
            assert await archiver.write_part(plan, part, deadline) is not Progress.OUT_OF_TIME
        return await archiver.finish(plan, deadline)

    async def describe(order: ArchiveOrder, candidate_of) -> ArchiveOrder:
        for name in order.record_blobs:
            found = decode_records(await blobs.get(name))
            await blobs.put(
                name, encode_records([replace(one, candidate=candidate_of(one)) for one in found])
            )
        return order

    async def open_zip(order: ArchiveOrder) -> zipfile.ZipFile:
        archived = await archive(order)
        return zipfile.ZipFile(io.BytesIO(await blobs.get(archived.blobs[0])))

    return SimpleNamespace(
        blobs=blobs,
        entities=storage.entities,
        archiver=archiver,
        telemetry=telemetry,
        crawl=crawl,
        archive=archive,
        describe=describe,
        zip=open_zip,
    )
