"""What the archive of a job's revision starts from: looked up once, so that every run of it does the same."""

from dataclasses import dataclass

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
    """`earlier` are the datasets to deduplicate against, as they were then; `before` is the job's own, if it had one.

    A retry of another job changes nothing of it. `before` is what counts again where this revision does not come to
    its end.
    """

    earlier: tuple[EarlierDataset, ...]
    before: Dataset | None


_adapter = TypeAdapter(ArchiveStart)


class ArchiveStarts:
    """The stored starts, one a revision: the first that is written counts."""

    def __init__(self, blobs: BlobStore, catalog: Catalog) -> None:
        self._blobs = blobs
        self._catalog = catalog

    async def begin(self, job: Job, spec: JobSpec) -> ArchiveStart:
        """The start of the job's revision; made where there is none.

        Raises:
            Permanent: the spec names a dataset to deduplicate against that is not there.
        """
        stored = await self.stored(job)
        if stored is not None:
            return stored
        start = await self._look_up(job, spec)
        try:
            await self._blobs.put(_blob(job), _adapter.dump_json(start), overwrite=False)
        except AlreadyExists:
            return await self.stored(job) or start
        return start

    async def stored(self, job: Job) -> ArchiveStart | None:
        """The start of the job's revision; None where its archive has not begun, or its working blobs are gone.

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
        """See that the dataset of this revision is not recorded, as it did not come to its end; idempotent.

        `start` is the revision's, for callers that read it before the working blobs were deleted. Where it cannot be
        read, no dataset of an earlier revision is recorded again.
        """
        try:
            start = start or await self.stored(job)
        except Damaged:
            start = ArchiveStart((), None)
        if start is not None:  # it is stored before anything is recorded
            await self._catalog.undo(job.user_id, job.id, job.revision, start.before)

    async def _look_up(self, job: Job, spec: JobSpec) -> ArchiveStart:
        earlier: list[EarlierDataset] = []
        for name in spec.dedup.against:
            found = await self._catalog.get(job.user_id, name)
            if found is None:
                raise Permanent(f"There is no dataset {name} to deduplicate against.")
            earlier.append(EarlierDataset(found.id, found.records_blob))
        return ArchiveStart(tuple(earlier), await self._catalog.get(job.user_id, job.id))


def _blob(job: Job) -> str:
    return start_blob(job.id, job.revision)


def parents_of(spec: JobSpec) -> tuple[str, ...]:
    """The ids of the datasets that images are taken from, without repetitions."""
    return tuple(dict.fromkeys(config.id for config in spec.sources if isinstance(config, DatasetConfig)))
