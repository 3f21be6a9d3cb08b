"""Step 4 of a job: make the dataset of what was kept, record it, and end the job."""

from dataclasses import dataclass

from shared.archiving.archiver import Archiver
from shared.archiving.order import Archived, ArchiveOrder
from shared.clock import Clock, Deadline
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.errors import Permanent
from shared.jobs.chunk_ledger import ChunkLedger
from shared.jobs.crawl import records_blob
from shared.jobs.job import Job
from shared.jobs.job_store import JobStore
from shared.jobs.messages import ARCHIVES_QUEUE, JobMessage, encode
from shared.jobs.retry import NO_IMAGES
from shared.jobs.states import State
from shared.jobs.tally import Tally
from shared.jobs.transitions import Transitions
from shared.storage.blobs import Tier
from shared.storage.queues import QueueSender
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class _Nothing:
    """Why a dataset came out empty."""

    archived: Archived

    @property
    def detail(self) -> str:
        """One sentence with the counts."""
        totals: dict[str, int] = {}
        for outcomes in self.archived.counts.values():
            for outcome, number in outcomes.items():
                totals[outcome] = totals.get(outcome, 0) + number
        if not totals:
            return "No images were found."
        reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(totals.items()))
        return f"None of the {sum(totals.values())} images found could be kept: {reasons}."


class Archive:
    """Archives jobs. Safe to run twice, at the same time, and to die at any line."""

    def __init__(
        self,
        jobs: JobStore,
        ledger: ChunkLedger,
        queues: QueueSender,
        transitions: Transitions,
        archiver: Archiver,
        catalog: Catalog,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._jobs = jobs
        self._ledger = ledger
        self._queues = queues
        self._transitions = transitions
        self._archiver = archiver
        self._catalog = catalog
        self._telemetry = telemetry
        self._clock = clock

    async def run(self, message: JobMessage, deadline: Deadline) -> None:
        """Archive until the dataset stands, or the deadline passes and a continuation is enqueued.

        Raises:
            Retryable: storage did not answer; the message should come again.
        """
        job = await self._jobs.get(message.user_id, message.job_id)
        if job is None:
            return
        if job.state is not State.ARCHIVING:
            await self._transitions.notify(job)
            if job.state is State.COMPLETED:
                await self._catalog.drop_earlier(job.user_id, job.id, job.revision)
            return
        try:
            archived = await self._archiver.advance(await self._order(job), deadline)
        except Permanent as error:
            await self._transitions.fail(job, "archive_failed", error.detail)
            return
        if archived is None:
            await self._transitions.touch(job)
            await self._queues.send(ARCHIVES_QUEUE, encode(message))
        elif archived.image_count == 0:
            await self._transitions.fail(job, NO_IMAGES, _Nothing(archived).detail)
        else:
            await self._complete(job, archived)

    async def _order(self, job: Job) -> ArchiveOrder:
        spec = await self._jobs.spec(job.id)
        records = [records_blob(job.id, chunk.id) async for chunk in self._ledger.chunks(job.id)]
        return ArchiveOrder(
            job_id=job.id,
            name=spec.name,
            created_at=job.created_at,
            record_blobs=tuple(records),
            max_images_per_label=spec.max_images_per_label,
            dedup=spec.dedup,
            splits=spec.splits,
            output=spec.output,
            seed=spec.seed,
            prefix=job.dataset_prefix,
            work_prefix=f"{job.work_prefix}archive/r{job.revision}/",
        )

    async def _complete(self, job: Job, archived: Archived) -> None:
        before = await self._catalog.get(job.user_id, job.id)
        await self._catalog.put(_dataset(job, archived))
        ended = await self._transitions.end(job, State.COMPLETED)
        if ended.state is not State.COMPLETED or ended.revision != job.revision:
            await self._catalog.undo(_dataset(job, archived), before)
            return
        await self._catalog.drop_earlier(job.user_id, job.id, job.revision)
        signals.job_completed(
            self._telemetry,
            job_id=job.id,
            images_count=archived.image_count,
            duration_seconds=(self._clock.now() - job.created_at).total_seconds(),
        )


def _dataset(job: Job, archived: Archived) -> Dataset:
    return Dataset(
        id=job.id,
        user_id=job.user_id,
        revision=job.revision,
        name=job.name,
        created_at=job.created_at,
        image_count=archived.image_count,
        size_bytes=archived.size_bytes,
        format="zip" if archived.blobs[0].endswith(".zip") else "webdataset",
        tier=Tier.HOT,
        blobs=archived.blobs,
        records_blob=archived.records_blob,
        counts=Tally().plus(Tally(archived.counts)).counts,
        splits=archived.splits,
        sha256=archived.sha256,
    )
