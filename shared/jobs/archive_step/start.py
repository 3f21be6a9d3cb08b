"""Stores the inputs of the archive step for one revision of a job, so that every run of the step has the same ones."""

from dataclasses import dataclass, field

from pydantic import TypeAdapter

from shared.archiving.order import EarlierDataset
from shared.damage import reading
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.errors import AlreadyExists, Damaged, NotFound, Permanent
from shared.jobs.job.job import Job
from shared.jobs.spec.spec import JobSpec
from shared.records.blob_names import start_blob
from shared.sources.stored.datasets import DatasetConfig
from shared.storage.blobs import BlobStore


@dataclass(frozen=True, slots=True)
class ArchiveStart:
    """What an archive starts from. A later change of these datasets does not change it.

    Attributes:
        earlier: The datasets to deduplicate against.
        before: The job's own dataset of an earlier revision, if it had one. It is recorded again if this revision
            does not complete.
        webhook_url: The webhook of the job's spec, which may hold a secret.
    """

    earlier: tuple[EarlierDataset, ...]
    before: Dataset | None
    webhook_url: str | None = field(default=None, repr=False)


_adapter = TypeAdapter(ArchiveStart)


class ArchiveStarts:
    """Stores one start for each revision of a job. The first one that is written counts."""

    def __init__(self, blobs: BlobStore, catalog: Catalog) -> None:
        self._blobs = blobs
        self._catalog = catalog

    async def begin(self, job: Job, spec: JobSpec) -> ArchiveStart:
        """Returns the start of the job's revision, and makes it if there is none.

        Raises:
            Permanent: the spec names a dataset to deduplicate against that is not there.
        """
        try:
            start = await self._look_up(job, spec)
        except Permanent:
            # the dataset may have been deleted since an earlier run stored the start
            if stored := await self.stored(job):
                return stored
            raise
        try:
            await self._blobs.put(_blob(job), _adapter.dump_json(start), overwrite=False)
        except AlreadyExists:
            return await self.stored(job) or start
        return start

    async def stored(self, job: Job) -> ArchiveStart | None:
        """Returns the start of the job's revision; None if its archive has not begun or its working blobs are gone.

        Raises:
            Damaged: it cannot be read.
        """
        try:
            data = await self._blobs.get(_blob(job))
        except NotFound:
            return None
        with reading("what the archive started from"):
            return _adapter.validate_json(data)

    async def take_back(self, job: Job, start: ArchiveStart | None = None) -> None:
        """Removes the record of this revision's dataset, since the revision did not complete. Idempotent.

        The dataset of the earlier revision is recorded again, unless the start cannot be read. Pass `start` if it was
        read before, since the working blobs may be deleted by now.
        """
        try:
            start = start or await self.stored(job)
        except Damaged:
            start = ArchiveStart((), None)
        # Without a start nothing was recorded, since the start is stored first.
        if start is not None:
            await self._catalog.undo(job.user_id, job.id, job.revision, start.before)

    async def _look_up(self, job: Job, spec: JobSpec) -> ArchiveStart:
        earlier: list[EarlierDataset] = []
        for name in spec.dedup.against:
            found = await self._catalog.get(job.user_id, name)
            if found is None:
                raise Permanent(f"There is no dataset {name} to deduplicate against.")
            earlier.append(EarlierDataset(found.id, found.records_blob))
        before = await self._catalog.get(job.user_id, job.id) if job.revision > 1 else None
        return ArchiveStart(tuple(earlier), before, str(spec.webhook_url) if spec.webhook_url else None)


def _blob(job: Job) -> str:
    return start_blob(job.id, job.revision)


def parents_of(spec: JobSpec) -> tuple[str, ...]:
    """Returns the ids of the datasets that the spec uses as sources, without repetitions."""
    return tuple(dict.fromkeys(config.id for config in spec.sources if isinstance(config, DatasetConfig)))
