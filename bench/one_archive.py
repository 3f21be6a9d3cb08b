"""`python -m bench.one_archive JOB`: runs the archive step of a job whose records and shards are in a storage account.

The environment names the account, as it does for the app. Prints `planned` and the number of the archive's blocks,
then `staged` after each block that was sent, and at the end `done` and the figures as JSON.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from bench.usage import high_water_mb
from shared.archiving.archiver import Archiver, Progress
from shared.archiving.options import Dedup, Output, Splits
from shared.archiving.order import Archived, ArchiveOrder
from shared.archiving.planning.parts import block_bytes_of
from shared.archiving.planning.plan import Plan
from shared.archiving.planning.planner import PlanConfig
from shared.records.blob_names import archive_prefix, revision_prefix
from shared.settings import load_settings
from shared.storage.azure.blobs import AzureBlobs
from shared.wiring import App

RECORDS = "bench/records/"


@dataclass(frozen=True, slots=True)
class Done:
    """The figures of a finished archive.

    `plan`, `write` and `finish` are seconds. `size` is in bytes. `peak_mb` is the process's largest resident memory.
    """

    blob: str
    size: int
    sha256: str | None
    entries: int
    blocks: int
    plan: float
    write: float
    finish: float
    peak_mb: float

    @property
    def seconds(self) -> float:
        """The time of the whole step."""
        return self.plan + self.write + self.finish


class _ReportingBlobs(AzureBlobs):
    """Prints a line after each block that was sent."""

    async def stage(self, name: str, number: int, data: bytes | memoryview) -> None:
        """See `BlockStore.stage`."""
        await super().stage(name, number, data)
        print("staged", flush=True)


async def _run(job_id: str) -> Done:
    app = App(load_settings())
    # a value in the instance's dict takes precedence over the cached property that would make it
    vars(app)["blobs"] = _ReportingBlobs(app.account, app.settings.datasets_container)
    config = PlanConfig(part_bytes=app.settings.archive_part_bytes)
    archiver = Archiver(app.storage, app.runtime, config)
    records = tuple([info.name async for info in app.blobs.list(RECORDS)])
    began = time.perf_counter()
    plan = await archiver.begin(_order(job_id, records), app.deadline())
    file = plan.files[0]
    blocks = -(-file.size // block_bytes_of(file.size, plan.header.block_bytes))
    print("planned", blocks, flush=True)
    planned = time.perf_counter()
    await _write(app, archiver, plan)
    written = time.perf_counter()
    archived = await _finish(app, archiver, plan)
    ended = time.perf_counter()
    await app.blobs.close()
    await app.entities.close()
    return Done(
        blob=archived.blobs[0],
        size=archived.size_bytes,
        sha256=archived.checksums[archived.blobs[0]].sha256,
        entries=len(plan.images) + len(plan.header.contents.texts),
        blocks=blocks,
        plan=planned - began,
        write=written - planned,
        finish=ended - written,
        peak_mb=high_water_mb(),
    )


async def _write(app: App, archiver: Archiver, plan: Plan) -> None:
    """Writes all parts one after another, as an instance that gets all messages of the archive step would."""
    for part in await archiver.find_missing(plan):
        while await archiver.write_part(plan, part, app.deadline()) is Progress.OUT_OF_TIME:
            pass


async def _finish(app: App, archiver: Archiver, plan: Plan) -> Archived:
    archived = await archiver.finish(plan, app.deadline())
    if archived is None:
        raise RuntimeError("blocks of the archive are gone")
    return archived


def _order(job_id: str, records: tuple[str, ...]) -> ArchiveOrder:
    return ArchiveOrder(
        job_id=job_id,
        name="bench",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        record_blobs=records,
        max_images_per_label=None,
        dedup=Dedup(),
        splits=Splits(),
        output=Output(),
        seed=0,
        prefix=revision_prefix(job_id, 1),
        work_prefix=archive_prefix(job_id, 1),
    )


if __name__ == "__main__":
    print("done", json.dumps(asdict(asyncio.run(_run(sys.argv[1])))))
