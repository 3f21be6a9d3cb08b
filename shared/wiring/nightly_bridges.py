"""The nightly run's bridges to jobs and to the catalog, neither of which knows of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from shared.datasets.catalog import Catalog
from shared.jobs.archive_step.start import ArchiveStarts
from shared.jobs.job.states import State
from shared.jobs.job.store import JobStore
from shared.jobs.ledger.chunks import ChunkLedger
from shared.lifecycle.nightly import FinishedJob
from shared.storage.blobs import Tier
from shared.users.access import ADMIN


@dataclass(frozen=True, slots=True)
class FinishedWork:
    """The ended jobs that still have working blobs."""

    jobs: JobStore
    ledger: ChunkLedger
    starts: ArchiveStarts

    async def finished_before(self, moment: datetime) -> AsyncIterator[FinishedJob]:
        """See `FinishedJobs`."""
        async for work in self.jobs.works():
            if work.finished_at is not None and work.finished_at < moment:
                yield FinishedJob(work.job_id, work.user_id)

    async def begin_clearing(self, job: FinishedJob, moment: datetime) -> bool:
        """See `FinishedJobs`.

        What the job recorded and did not come to the end of is taken back here: what that needs is cleared, too, and
        a straggler that does it later must find the files of what counts again.
        """
        if not await self.jobs.begin_clearing(job.id, moment):
            return False
        stored = await self.jobs.get(job.user_id, job.id)
        if stored is not None and stored.state is not State.COMPLETED:
            await self.starts.take_back(stored)
        return True

    async def forget_work(self, job_id: str) -> None:
        """See `FinishedJobs`; the job's ledger goes with its blobs."""
        await self.ledger.erase(job_id)
        await self.jobs.forget_work(job_id)


@dataclass(frozen=True, slots=True)
class CatalogDatasets:
    """The datasets of the catalog."""

    catalog: Catalog

    async def tier_changed(self, dataset_id: str, tier: Tier) -> None:
        """See `RecordedDatasets`."""
        await self.catalog.tier_changed(ADMIN, dataset_id, tier)

    async def drop_others(self, user_id: str, dataset_id: str, written_before: datetime) -> None:
        """See `RecordedDatasets`."""
        await self.catalog.drop_others(user_id, dataset_id, written_before)
