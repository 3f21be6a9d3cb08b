"""Step 4 of a job, the part that knows archives: from records and shards to a dataset in storage."""

from shared.archiving.compose import ZipComposer, write_blocks
from shared.archiving.order import Archived, ArchiveOrder
from shared.archiving.plan import Plan, Planner, records_blob
from shared.clock import Clock, Deadline
from shared.errors import Retryable
from shared.storage.blobs import BlobAttributes, BlobStore, BlockStore, Tier
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry

_MB = 1_000_000


class Archiver:
    """Makes datasets. Two runs of one order, at the same time or one after the other, write the same bytes."""

    def __init__(self, blobs: BlobStore, blocks: BlockStore, telemetry: Telemetry, clock: Clock) -> None:
        self._blobs = blobs
        self._blocks = blocks
        self._planner = Planner(blobs, blocks)
        self._telemetry = telemetry
        self._clock = clock

    async def advance(self, order: ArchiveOrder, deadline: Deadline) -> Archived | None:
        """Make the dataset; None where time ran out: call again, and it goes on behind the last staged block.

        Where nothing was kept, no archive is written and `image_count` is 0.

        Raises:
            Permanent: stored images are gone.
            Retryable: storage did not answer.
        """
        plan = await self._planner.plan(order)
        if not len(plan.rows):
            return Archived((), records_blob(order), 0, 0, plan.counts, {})
        name = f"{order.prefix}dataset.zip"
        composer = ZipComposer(plan, order.created_at, self._blobs)
        signals.dataset_upload_started(
            self._telemetry, job_id=order.job_id, image_count=len(plan.rows), destination=name
        )
        began = self._clock.monotonic()
        try:
            done, sha256 = await write_blocks(
                composer, self._blocks, name, _attributes(order, plan), deadline
            )
        except Retryable as error:
            self._report(name, began, composer.layout.size, error)
            raise
        if not done:
            return None
        self._report(name, began, composer.layout.size, None)
        signals.dataset_upload_completed(
            self._telemetry,
            job_id=order.job_id,
            destination=name,
            tier=Tier.HOT,
            duration_seconds=self._clock.monotonic() - began,
            file_size_mb=composer.layout.size / _MB,
            image_count=len(plan.rows),
        )
        return Archived(
            blobs=(name,),
            records_blob=records_blob(order),
            size_bytes=composer.layout.size,
            image_count=len(plan.rows),
            counts=plan.counts,
            splits=plan.split_counts,
            sha256=sha256,
        )

    def _report(self, name: str, began: float, size_bytes: int, error: Exception | None) -> None:
        signals.azure_blob_upload(
            self._telemetry,
            target=name,
            duration_seconds=self._clock.monotonic() - began,
            file_size_mb=size_bytes / _MB,
            error=error,
        )


def _attributes(order: ArchiveOrder, plan: Plan) -> BlobAttributes:
    return BlobAttributes(
        content_type="application/zip",
        metadata={
            "job_id": order.job_id,
            "image_count": str(len(plan.rows)),
            "created_at": order.created_at.isoformat(),
        },
        tags={"project": "pixcrawler", "type": "dataset", "job_id": order.job_id},
        tier=Tier.HOT,
    )
