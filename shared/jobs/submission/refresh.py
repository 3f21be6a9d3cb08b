"""Refreshes datasets: the dataset's job runs again, as its next revision, and takes over what the dataset has.

The spec is the one that the dataset was made from. It is stored with the dataset, so a dataset can be refreshed after
its job's working files are deleted, too.
"""

from dataclasses import dataclass, replace

from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.errors import Conflict, NotFound
from shared.jobs.flow.quotas import Quotas
from shared.jobs.job.job import Job, Refresh
from shared.jobs.job.messages import JOBS_QUEUE, message_of
from shared.jobs.job.states import State
from shared.jobs.ledger.job_data import JobData
from shared.jobs.spec.spec import JobSpec, SpecReader
from shared.jobs.spec.stored_spec import decode_stored_spec
from shared.jobs.submission.datasets import note_use
from shared.jobs.submission.spec_checks import SpecChecks
from shared.records.blob_names import dataset_spec_blob
from shared.runtime import Runtime
from shared.storage.blobs import Tier
from shared.telemetry.correlation import current_origin
from shared.users.caller import CallMark


@dataclass(frozen=True, slots=True)
class WantedRefresh:
    """What a call asks for. `mark` is that of a call with an Idempotency-Key."""

    mark: CallMark
    check: bool = False
    remove_gone: bool = False


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The job that refreshes a dataset. `replayed` says that an earlier call with the same key has begun it."""

    job: Job
    replayed: bool


class RefreshDatasets:
    """Begins refreshes. Calls at the same time begin one."""

    def __init__(
        self,
        data: JobData,
        catalog: Catalog,
        specs: SpecReader,
        checks: SpecChecks,
        quotas: Quotas,
        runtime: Runtime,
    ) -> None:
        self._data = data
        self._catalog = catalog
        self._specs = specs
        self._checks = checks
        self._quotas = quotas
        self._runtime = runtime

    async def run(self, user_id: str, dataset_id: str, wanted: WantedRefresh) -> Refreshed:
        """Puts the dataset's job on its queue, with its next revision; returns the stored job.

        Raises:
            NotFound: this user has no such dataset.
            Conflict: the dataset cannot be refreshed now, or the key belongs to a call with other values. The text
                says why.
            InvalidRequest: a list or a dataset that the spec names is gone, or a source lacks a setting.
            Forbidden: the owner is not an active user.
            QuotaExceeded: the owner's tier leaves no room.
        """
        await self._catalog.require(user_id, dataset_id)
        job = await self._data.jobs.get(user_id, dataset_id)
        if job is None:
            raise Conflict(f"The job {dataset_id} was deleted; a dataset is refreshed by its job.")

        async def reopen(stored: Job) -> Refreshed:
            if stored.refresh is not None and wanted.mark.repeats(stored.refresh.call):
                return Refreshed(stored, replayed=True)
            # read after the job, so it is the revision that this version of the job has made
            dataset = await self._catalog.require(user_id, dataset_id)
            await self._check(stored, dataset)
            return Refreshed(await self._reopen(stored, dataset, wanted), replayed=False)

        found = await self._data.jobs.swap(job, reopen)
        if found.job.state is State.QUEUED:
            await self._data.storage.queues.send(JOBS_QUEUE, message_of(found.job))
        return found

    async def _check(self, job: Job, dataset: Dataset) -> None:
        """Checks that the dataset can be refreshed now.

        Raises:
            Conflict: it cannot.
        """
        if not job.state.terminal:
            raise Conflict(f"The job {job.id} is {job.state}; refresh the dataset when the job has ended.")
        progress = await self._data.ledger.progress(job.id)
        if progress.done < progress.added:
            raise Conflict(f"The job {job.id} is {job.state} and was not completed; retry it first.")
        keeping = dataset.keeping
        if keeping.legal_hold:
            raise Conflict(f"The dataset {dataset.id} is under legal hold; a refresh would replace it.")
        if dataset.tier is Tier.ARCHIVE or keeping.rehydration is not None or keeping.is_being_archived:
            path = f"/api/v1/datasets/{dataset.id}/rehydrate"
            raise Conflict(
                f"The dataset {dataset.id} is in the Archive tier, or on its way; POST {path} brings it back within "
                "hours."
            )

    async def _reopen(self, stored: Job, dataset: Dataset, wanted: WantedRefresh) -> Job:
        """Reserves for the next revision and stores it. The reservation of the earlier revision is settled first."""
        now = self._runtime.clock.now()
        spec = await self._spec(dataset)
        await self._quotas.settle(stored)
        refresh = Refresh(
            began=stored.revision + 1,
            base=dataset.revision,
            check=wanted.check,
            remove_gone=wanted.remove_gone,
            call=wanted.mark,
        )
        again = stored.refreshed(refresh, now, current_origin())
        # no policy moves the files while they are read
        await self._catalog.keep(
            dataset.user_id, dataset.id, lambda found: replace(found, keeping=found.keeping.read_by_job(now))
        )
        grant = await self._quotas.reserve(again, spec)
        try:
            return await self._data.jobs.reopen(grant.job, spec)
        except Conflict:
            await self._quotas.give_back(grant)
            raise

    async def _spec(self, dataset: Dataset) -> JobSpec:
        """Returns the spec that the dataset was made from, with the current revisions of the datasets that it names."""
        blobs, user_id = self._data.storage.blobs, dataset.user_id
        try:
            data = await blobs.get(dataset_spec_blob(dataset.id, dataset.revision))
        except NotFound:
            raise Conflict(f"The spec of the dataset {dataset.id} is gone.") from None
        spec = await decode_stored_spec(data, self._specs, "the dataset's spec")
        self._specs.check_sources(spec)
        spec = await self._checks.complete(spec, user_id)
        await self._checks.lists.note_use(user_id, spec)
        await note_use(spec, user_id, self._checks.catalog, self._runtime.clock.now())
        return spec
