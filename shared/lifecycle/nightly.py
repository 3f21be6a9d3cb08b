"""Step 6 of a job: old datasets go to the Archive tier, working blobs of finished jobs go away.

With the working blobs go the files of all of the job's revisions but the recorded one: earlier ones, and what was
written of those that did not come to their end. Without working blobs no retry can begin, so that is for good.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.clock import Clock, Deadline
from shared.errors import AppError
from shared.records.delivered import RECORDS
from shared.storage.blobs import BlobInfo, BlobStore, Tier, TierStore
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry

_DATASETS = "datasets/"
# small files that describe a dataset
_STAY_HOT = (RECORDS, "README.md", "ATTRIBUTION.md", "SHA256SUMS")
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """A job that has ended and still has working blobs."""

    id: str
    user_id: str


class FinishedJobs(Protocol):
    """What the clean-up asks about jobs."""

    def finished_before(self, moment: datetime) -> AsyncIterator[FinishedJob]:
        """The jobs that ended before the moment and still have working blobs."""
        ...

    async def begin_clearing(self, job: FinishedJob, moment: datetime) -> bool:
        """Have the job not begin anew from now on; False where it has done so since it ended before the moment."""
        ...

    async def forget_work(self, job_id: str) -> None:
        """Note that the job's working blobs are gone; idempotent."""
        ...


class RecordedDatasets(Protocol):
    """Who knows which datasets are recorded."""

    async def tier_changed(self, dataset_id: str, tier: Tier) -> None:
        """The dataset's blobs are in this tier now."""
        ...

    async def drop_others(self, user_id: str, dataset_id: str, written_before: datetime) -> None:
        """Delete the files of revisions that are not recorded, as far as they were written before; idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class NightlyConfig:
    """Ages in days."""

    archive_after_days: int = 90
    work_retention_days: int = 7


@dataclass(slots=True)
class NightlyReport:
    """What a night did. `unfinished` says that time ran out; the next night goes on."""

    archived: int = 0
    cleared: int = 0
    failed: int = 0
    unfinished: bool = False


class Nightly:
    """The nightly run. Running it twice, or at the same time, does nothing twice; one failure stops nothing else."""

    def __init__(
        self,
        blobs: BlobStore,
        tiers: TierStore,
        jobs: FinishedJobs,
        datasets: RecordedDatasets,
        telemetry: Telemetry,
        clock: Clock,
        config: NightlyConfig,
    ) -> None:
        self._blobs = blobs
        self._tiers = tiers
        self._jobs = jobs
        self._recorded = datasets
        self._telemetry = telemetry
        self._clock = clock
        self._config = config

    async def run(self, deadline: Deadline) -> NightlyReport:
        """Age datasets, then clear what ended jobs have left, until done or until the deadline passes.

        Raises:
            Unavailable: storage cannot even be listed.
        """
        report = NightlyReport()
        await self._age(deadline, report)
        await self._clear(deadline, report)
        signals.datasets_archived(self._telemetry, count=report.archived)
        return report

    async def _age(self, deadline: Deadline, report: NightlyReport) -> None:
        now = self._clock.now()
        async for dataset_id, files in self._datasets():
            if deadline.passed:
                report.unfinished = True
                return
            age = now - max(info.created_at for info in files)
            waiting = [info for info in files if info.tier is not Tier.ARCHIVE]
            if age < timedelta(days=self._config.archive_after_days) or not waiting:
                continue
            try:
                for info in waiting:
                    await self._tiers.set_tier(info.name, Tier.ARCHIVE)
                await self._recorded.tier_changed(dataset_id, Tier.ARCHIVE)
            except AppError as error:
                report.failed += 1
                signals.failure(self._telemetry, error, operation="archive_dataset", dataset=dataset_id)
                continue
            report.archived += 1
            size_mb = sum(info.size_bytes for info in files) / _MB
            signals.dataset_archived(self._telemetry, dataset=dataset_id, age_days=age.days, size_mb=size_mb)

    async def _datasets(self) -> AsyncIterator[tuple[str, list[BlobInfo]]]:
        """Each dataset's blobs, without the small files that stay hot and readable."""
        current, files = "", list[BlobInfo]()
        async for info in self._blobs.list(_DATASETS):
            dataset_id = info.name.split("/")[1].removeprefix("job_")
            if dataset_id != current:
                if files:
                    yield current, files
                current, files = dataset_id, []
            if info.name.rpartition("/")[2] not in _STAY_HOT:
                files.append(info)
        if files:
            yield current, files

    async def _clear(self, deadline: Deadline, report: NightlyReport) -> None:
        now = self._clock.now()
        before = now - timedelta(days=self._config.work_retention_days)
        async for job in self._jobs.finished_before(before):
            if deadline.passed:
                report.unfinished = True
                return
            try:
                if not await self._jobs.begin_clearing(job, before):
                    continue
                await self._recorded.drop_others(job.user_id, job.id, now)
                async for info in self._blobs.list(f"work/job_{job.id}/"):
                    await self._blobs.delete(info.name)
                await self._jobs.forget_work(job.id)
            except AppError as error:
                report.failed += 1
                signals.failure(self._telemetry, error, operation="clear_work", job_id=job.id)
                continue
            report.cleared += 1
