"""Datasets and jobs in storage whose images are real files."""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from shared.datasets.dataset import Dataset
from shared.jobs.job.states import State
from shared.jobs.ledger.chunks import Addition
from shared.jobs.ledger.rows import ChunkRow, DiscoveryRow
from shared.jobs.ledger.tally import Tally
from shared.jobs.submission.submit import Submission
from shared.records.blob_names import preview_blob, records_blob, report_blob, revision_prefix, shard_name
from shared.records.candidates import Candidate, Provenance
from shared.records.delivered import encode_delivered, fields_of
from shared.records.facts import ImageFacts
from shared.records.records import Kept, Reason, Record, Rejected, encode_records
from shared.wiring import App
from tests.expect import present
from tests.unit.crawling.judging.pictures import encoded
from tests.unit.datasets.made import made
from tests.unit.known_sources import parse_spec

SIZE = (320, 240)
FILES = {form: encoded(form.upper(), SIZE) for form in ("jpeg", "png", "webp", "gif")}


@dataclass(frozen=True)
class Image:
    """One image of a dataset. Fields of its record that are in `changed` are as a hostile one would have them."""

    label: str = "cat"
    form: str = "jpeg"
    split: str = "train"
    license: str = "by"
    source: str = "urls"
    data: bytes = b""
    changed: tuple[tuple[str, object], ...] = ()

    @property
    def bytes(self) -> bytes:
        return self.data or FILES[self.form]


def facts(image: Image) -> ImageFacts:
    data = image.bytes
    digest = hashlib.sha256(data).hexdigest()
    return ImageFacts(image.form, *SIZE, len(data), digest, zlib.crc32(data), "ff", sharpness=7.5)


def record(index: int, image: Image, blob: str, offset: int) -> Record:
    provenance = Provenance(image.source, license=image.license, creator="Ann")
    candidate = Candidate(f"https://x.example/{index}", image.label, provenance)
    return Record(index, candidate, Kept(blob, offset, facts(image)))


async def add_dataset(
    app: App,
    images: Sequence[Image],
    *,
    dataset_id: str = "j",
    user_id: str = "admin",
    revision: int = 1,
    chunk: int = 4,
    file: str = "dataset.zip",
) -> Dataset:
    """Stores a dataset. After the records of each image there is one of a rejected candidate."""
    prefix = revision_prefix(dataset_id, revision)
    content, lines = b"", list[dict[str, object]]()
    counts = dict[str, dict[str, int]]()
    for number, image in enumerate(images):
        kept = record(2 * number, image, file, len(content))
        line = fields_of(kept) | {"split": image.split, "blob": file, "offset": len(content)}
        lines.append(line | dict(image.changed))
        rejected = Record(2 * number + 1, kept.candidate, Rejected(Reason.TOO_SMALL, "9 by 9"))
        lines.append(fields_of(rejected))
        content += image.bytes
        of_label = counts.setdefault(image.label, {"kept": 0})
        of_label["kept"] += 1
    await app.blobs.put(f"{prefix}{file}", content)
    members = [encode_delivered(lines[at : at + chunk]) for at in range(0, len(lines), chunk)]
    await app.blobs.put(f"{prefix}records.jsonl.gz", b"".join(members) or encode_delivered([]))
    dataset: Dataset = made(
        dataset_id,
        user_id,
        image_count=len(images),
        counts=counts,
        revision=revision,
        blobs=(f"{prefix}{file}",),
        records_blob=f"{prefix}records.jsonl.gz",
    )
    await app.catalog.put(dataset)
    return dataset


async def add_report(app: App, dataset: Dataset) -> None:
    """Stores a report of the dataset, as the archive step does."""
    await app.blobs.put(report_blob(dataset.id, dataset.revision), b"<!doctype html>")


async def add_preview(app: App, dataset: Dataset) -> None:
    """Stores a preview of the dataset, as the archive step does. Its bytes name the revision."""
    await app.blobs.put(preview_blob(dataset.id, dataset.revision), b"preview %d" % dataset.revision)


async def add_job(app: App, chunks: Sequence[Sequence[Image]], *, user_id: str = "admin") -> str:
    """Stores a job that crawls, of which these chunks are done; returns its id."""
    job = await app.submit.run(Submission(user_id, parse_spec({"keywords": ["cat"]})))
    job = await app.job_data.jobs.save(job.moved(State.DISCOVERING, app.clock.now()))
    ledger, saved = app.job_data.ledger, DiscoveryRow(b"")
    for number, images in enumerate(chunks, 1):
        name = f"{number:06}"
        shard, content, records = shard_name(job.id, name, "n"), b"", []
        for index, image in enumerate(images, 100 * number):
            records.append(record(index, image, shard, len(content)))
            content += image.bytes
        await app.blobs.put(shard, content)
        await app.blobs.put(records_blob(job.id, name), encode_records(records))
        addition = Addition([ChunkRow(name, "", len(records))], found=len(records))
        saved = await ledger.add(job.id, addition, saved, app.clock.now())
        stored = present(await ledger.chunk(job.id, name))
        await ledger.finish(job.id, stored, Tally.of(records), [], app.clock.now())
    return job.id
