"""The nightly run's bridges to jobs and to the catalog, neither of which knows of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from shared.datasets.catalog import Catalog
from shared.jobs.chunk_ledger import ChunkLedger
from shared.jobs.job_store import JobStore
from shared.lifecycle.nightly import FinishedJob
from shared.storage.blobs import Tier
from shared.users.access import ADMIN


@dataclass(frozen=True, slots=True)
class FinishedWork:
    """The ended jobs that still have working blobs."""

    jobs: JobStore
    ledger: ChunkLedger

    async def finished_before(self, moment: datetime) -> AsyncIterator[FinishedJob]:
        """See `FinishedJobs`."""
        async for work in self.jobs.works():
            if work.finished_at is not None and work.finished_at < moment:
                yield FinishedJob(work.job_id, work.user_id)

    async def begin_clearing(self, job_id: str, moment: datetime) -> bool:
        """See `FinishedJobs`."""
        return await self.jobs.begin_clearing(job_id, moment)

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
