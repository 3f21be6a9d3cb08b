"""Moves old datasets to the Archive tier, and deletes the working blobs of jobs that ended (step 6 of a job).

It also erases the counts of calls of past days.

With the working blobs of a job, the files of all revisions of its dataset are deleted except the recorded one: those
of earlier revisions, and those of revisions that were not completed. After that the job cannot be retried, so no new
revision can come.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.errors import AppError
from shared.jobs.archive_step.start import ArchiveStarts
from shared.jobs.flow.owner_limits import OwnerLimits
from shared.jobs.job.rows import Work
from shared.jobs.job.states import State
from shared.jobs.ledger.job_data import JobData
from shared.lifecycle.blob_deletion import delete_blobs
from shared.records.blob_names import DATASETS, dataset_of, work_prefix
from shared.records.delivered import RECORDS
from shared.runtime import Runtime
from shared.storage.blobs import BlobInfo, Tier
from shared.telemetry import signals
from shared.users.limits.past_days import PastDays

# small files that describe a dataset
_STAY_HOT = (RECORDS, "README.md", "ATTRIBUTION.md", "SHA256SUMS")
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class NightlyConfig:
    """Ages in days. `archive_after_days` is for datasets whose owner's tier does not say."""

    archive_after_days: int = 90
    work_retention_days: int = 7


@dataclass(slots=True)
class NightlyReport:
    """The result of a nightly run: numbers of datasets archived, of jobs cleared, and of failures.

    If the run is `unfinished`, it ran out of time, and the next run continues.
    """

    archived: int = 0
    cleared: int = 0
    failed: int = 0
    unfinished: bool = False


class Nightly:
    """The nightly run. It may run twice, also at the same time. Failures of datasets or jobs do not stop the rest."""

    def __init__(
        self, data: JobData, catalog: Catalog, limits: OwnerLimits, runtime: Runtime, config: NightlyConfig
    ) -> None:
        self._blobs = data.storage.blobs
        self._jobs = data.jobs
        self._ledger = data.ledger
        self._catalog = catalog
        self._limits = limits
        self._starts = ArchiveStarts(data.storage.blobs, catalog)
        self._past_days = PastDays(data.storage.entities, runtime.clock)
        self._clock = runtime.clock
        self._telemetry = runtime.telemetry
        self._config = config

    async def run(self, deadline: Deadline) -> NightlyReport:
        """Erases old counts, archives old datasets, and clears jobs that ended long ago, until the deadline passes.

        Raises:
            Unavailable: storage did not answer when datasets or jobs were listed.
        """
        report = NightlyReport()
        await self._erase_counts(deadline, report)
        await self._move_old_datasets(deadline, report)
        await self._clear(deadline, report)
        signals.datasets_archived(self._telemetry, count=report.archived)
        return report

    async def _erase_counts(self, deadline: Deadline, report: NightlyReport) -> None:
        try:
            report.unfinished = not await self._past_days.erase(deadline)
        except AppError as error:
            report.failed += 1
            signals.failure(self._telemetry, error, operation="erase_counts")

    async def _move_old_datasets(self, deadline: Deadline, report: NightlyReport) -> None:
        now, soonest = self._clock.now(), self._limits.soonest_archive_days
        days = self._config.archive_after_days
        least = timedelta(days=days if soonest is None else min(days, soonest))
        async for dataset_id, files in self._datasets():
            if deadline.passed:
                report.unfinished = True
                return
            age = now - max(info.created_at for info in files)
            movable = [info for info in files if info.tier is not Tier.ARCHIVE]
            if age < least or not movable:
                continue
            try:
                if age < await self._archive_after(dataset_id):
                    continue
                for info in movable:
                    await self._blobs.set_tier(info.name, Tier.ARCHIVE)
                await self._catalog.record_tier(dataset_id, Tier.ARCHIVE, now)
            except AppError as error:
                report.failed += 1
                signals.failure(self._telemetry, error, operation="archive_dataset", dataset=dataset_id)
                continue
            report.archived += 1
            size_mb = sum(info.size_bytes for info in files) / _MB
            signals.dataset_archived(self._telemetry, dataset=dataset_id, age_days=age.days, size_mb=size_mb)

    async def _archive_after(self, dataset_id: str) -> timedelta:
        """Returns the age at which a dataset is archived, by the tier of its owner."""
        owner = await self._catalog.owner(dataset_id)
        days = await self._limits.archive_after_days(owner) if owner is not None else None
        return timedelta(days=self._config.archive_after_days if days is None else days)

    async def _datasets(self) -> AsyncIterator[tuple[str, list[BlobInfo]]]:
        """Yields each dataset's id and its blobs, without the small files that stay in the Hot tier."""
        current, files = "", list[BlobInfo]()
        async for info in self._blobs.list(DATASETS):
            found = dataset_of(info.name)
            if found is None:
                continue
            if found[0] != current:
                if files:
                    yield current, files
                current, files = found[0], []
            if info.name.rpartition("/")[2] not in _STAY_HOT:
                files.append(info)
        if files:
            yield current, files

    async def _clear(self, deadline: Deadline, report: NightlyReport) -> None:
        now = self._clock.now()
        before = now - timedelta(days=self._config.work_retention_days)
        async for work in self._jobs.works():
            if work.finished_at is None or work.finished_at >= before:
                continue
            if deadline.passed:
                report.unfinished = True
                return
            try:
                # the files of earlier revisions are found by the job's working blobs once the hold is lifted
                if not await self._catalog.may_delete(work.user_id, work.job_id):
                    continue
                if await self._jobs.begin_clearing(work.job_id, before):
                    report.cleared += await self._clear_one(work, now, deadline)
            except AppError as error:
                report.failed += 1
                signals.failure(self._telemetry, error, operation="clear_work", job_id=work.job_id)

    async def _clear_one(self, work: Work, now: datetime, deadline: Deadline) -> bool:
        """Deletes the working blobs and rows of a job that ended, and finally the row that the run finds it by.

        It returns whether all is deleted. Otherwise the deadline has passed, and the next run goes on.

        This is idempotent. If the job recorded a dataset but did not complete, the dataset is taken back first: the
        blobs that this needs are deleted here, and the files of the dataset that counts again must not be deleted.
        """
        job = await self._jobs.get(work.user_id, work.job_id)
        if job is not None and job.state is not State.COMPLETED:
            await self._starts.take_back(job)
        await self._catalog.delete_other_revisions(work.user_id, work.job_id, now)
        if not await delete_blobs(self._blobs, work_prefix(work.job_id), deadline):
            return False
        await self._ledger.erase(work.job_id)
        await self._jobs.forget_work(work.job_id)
        return True
