"""Step 4 of a job: makes the dataset of the kept images, records it, and ends the job."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from shared.archiving.archiver import Archiver, Progress
from shared.archiving.order import Archived, ArchiveOrder
from shared.archiving.planning.plan import Plan
from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.datasets.keeping import Keeping
from shared.errors import Damaged, NotFound, Permanent
from shared.jobs.archive_step.start import ArchiveStarts, parents_of
from shared.jobs.flow.job_watch import JobEnded, JobWatch, JobWatches
from shared.jobs.flow.transitions import Transitions
from shared.jobs.job.failures import ARCHIVE_FAILED, NO_IMAGES
from shared.jobs.job.job import Job
from shared.jobs.job.messages import ARCHIVES_QUEUE, JobMessage, message_of
from shared.jobs.job.states import State
from shared.jobs.ledger.job_data import JobData
from shared.jobs.ledger.tally import Tally
from shared.jobs.spec.spec import encode_spec
from shared.records.blob_names import archive_prefix, dataset_spec_blob, records_blob, revision_prefix
from shared.storage.blobs import BlobAttributes, Tier

# Messages of one archive at a time, so that large archives leave room for small ones.
_PARTS_IN_FLIGHT = 32


class Archive:
    """Archives jobs. Safe to run twice, at the same time, and to die at any line."""

    def __init__(
        self,
        data: JobData,
        transitions: Transitions,
        archiver: Archiver,
        catalog: Catalog,
        watches: JobWatches,
    ) -> None:
        self._jobs = data.jobs
        self._ledger = data.ledger
        self._discovery = data.discovery
        self._queues = data.storage.queues
        self._blobs = data.storage.blobs
        self._transitions = transitions
        self._archiver = archiver
        self._catalog = catalog
        self._starts = ArchiveStarts(data.storage.blobs, catalog)
        self._watches = watches

    async def run(self, message: JobMessage, deadline: Deadline) -> None:
        """Archives until the dataset is complete, or enqueues a continuation at the deadline.

        Each part of a large dataset has a message of its own. The run that writes the last part completes the dataset.
        If the job is cancelled meanwhile, the work stops within seconds.

        Raises:
            Retryable: storage did not answer; the message should come again.
        """
        job = await self._jobs.get(message.user_id, message.job_id)
        if job is None:
            return
        if job.state is not State.ARCHIVING:
            await self._follow_end(job)
            return
        try:
            await self._run(job, message, deadline)
        except JobEnded:
            await self._follow_end(await self._jobs.get(job.user_id, job.id))
        except Damaged as error:
            await self._follow_end(await self._transitions.fail_damaged(job, error))
        except Permanent as error:
            await self._follow_end(await self._transitions.fail(job, ARCHIVE_FAILED, error.detail, error))

    async def _run(self, job: Job, message: JobMessage, deadline: Deadline) -> None:
        watch = self._watches.watch(job)
        archived = await watch.unless_ended(self._advance(job, message, deadline, watch))
        if archived is None:
            return
        if archived.image_count == 0:
            await self._transitions.fail(job, NO_IMAGES, _why_empty(archived))
        else:
            await self._complete(job, archived)

    async def _advance(
        self, job: Job, message: JobMessage, deadline: Deadline, watch: JobWatch
    ) -> Archived | None:
        """Does the work of the message; returns the archive if it is finished with that."""
        if message.part:
            digest, _, number = message.part.partition("/")
            plan = await self._archiver.load_plan(archive_prefix(job.id, job.revision), digest)
            # The plan of an earlier revision is not found.
            complete = plan is not None and await self._write_part(job, plan, int(number), deadline)
        else:
            plan = await self._archiver.begin(await self._order(job), deadline)
            complete = await self._write_or_share(job, plan, deadline)
        if plan is None or not complete:
            return None
        await watch.check()
        archived = await self._archiver.finish(plan, deadline)
        if archived is None:
            await self._send_parts(job, plan, await self._archiver.find_missing(plan))
        return archived

    async def _write_or_share(self, job: Job, plan: Plan, deadline: Deadline) -> bool:
        """Writes the only part, or sends messages for missing parts; returns whether all parts are written."""
        if len(plan.parts) <= 1:
            return not plan.parts or await self._write_part(job, plan, 0, deadline)
        missing = await self._archiver.find_missing(plan)
        if missing:
            await self._send_parts(job, plan, missing)
        return not missing

    async def _write_part(self, job: Job, plan: Plan, part: int, deadline: Deadline) -> bool:
        """Writes one part, as far as the deadline allows; returns whether all parts of the plan are written."""
        send_next = partial(self._send_next_part, job, plan, part) if len(plan.parts) > 1 else None
        progress = await self._archiver.write_part(plan, part, deadline, send_next)
        if progress is Progress.ALL_WRITTEN:
            return True
        await self._transitions.touch(job)
        if progress is Progress.OUT_OF_TIME:
            await self._send_parts(job, plan, [part])
        return False

    async def _send_parts(self, job: Job, plan: Plan, missing: Sequence[int]) -> None:
        """Sends a message for the first missing part of each lane, so that many instances write at the same time.

        The parts are dealt to `_PARTS_IN_FLIGHT` lanes. The run that has written a part sends the next one of its lane.
        """
        first: dict[int, int] = {}
        for part in missing:
            first.setdefault(part % _PARTS_IN_FLIGHT, part)
        for part in first.values():
            name = f"{plan.header.digest}/{part}"
            await self._queues.send(ARCHIVES_QUEUE, message_of(job, part=name))

    async def _send_next_part(self, job: Job, plan: Plan, part: int) -> None:
        """Sends the message of the next missing part in the lane of `part`.

        Nothing is sent if another run has noted that `part` is written. So if two messages for one part are under way,
        only one of them leads to the next part, unless both runs end at the same moment.
        """
        missing = await self._archiver.find_missing(plan)
        if part in missing:
            await self._send_parts(job, plan, _later_in_lane(part, missing))

    async def _order(self, job: Job) -> ArchiveOrder:
        spec = await self._jobs.needed_spec(job.id)
        after = ""
        if job.refresh is not None:
            # all that counts of earlier revisions was taken over
            discovery, _ = await self._discovery.read(job.id)
            after = discovery.counted_after
        records = [records_blob(job.id, chunk.id) async for chunk in self._ledger.chunks(job.id, after)]
        start = await self._starts.begin(job, spec)
        limit, whole_labels = spec.max_images_per_label, tuple[str, ...]()
        if limit is None and any(config.searches for config in spec.sources):
            limit = spec.limit_of("", searched=True)
            discovery, _ = await self._discovery.read(job.id)
            whole_labels = tuple(sorted(discovery.unlimited_labels))
        return ArchiveOrder(
            job_id=job.id,
            name=spec.name,
            created_at=job.created_at,
            record_blobs=tuple(records),
            max_images_per_label=limit,
            whole_labels=whole_labels,
            max_images=job.max_images,
            scores=spec.filters.scores,
            dedup=spec.dedup,
            splits=spec.splits,
            output=spec.output,
            seed=spec.seed,
            prefix=revision_prefix(job.id, job.revision),
            work_prefix=archive_prefix(job.id, job.revision),
            earlier=start.earlier,
            parents=parents_of(spec),
            changes=spec.transform.words if spec.transform else "",
            blurs_faces=spec.filters.faces == "blur",
            base_revision=job.refresh.base if job.refresh else None,
            optional_columns=spec.optional_columns,
        )

    async def _complete(self, job: Job, archived: Archived) -> None:
        """Records the dataset, then completes the job. If it has ended otherwise meanwhile, the record is undone."""
        start = await self._starts.stored(job)
        await self._store_spec(job)
        await self._catalog.put(_dataset(job, archived, start.webhook_url if start else None))
        try:
            ended = await self._transitions.complete(job, archived.image_count)
        except NotFound:
            # the job was cancelled and deleted meanwhile
            await self._starts.take_back(job, start)
            return
        if ended.state is not State.COMPLETED or ended.revision != job.revision:
            await self._starts.take_back(job, start)

    async def _store_spec(self, job: Job) -> None:
        """Stores the spec with the dataset, so that it can be refreshed when the job's working blobs are deleted.

        If the spec is gone, the job was cancelled and deleted meanwhile, and so will be its dataset.
        """
        with suppress(NotFound):
            spec = await self._jobs.spec(job.id)
            name = dataset_spec_blob(job.id, job.revision)
            await self._blobs.put(name, encode_spec(spec), BlobAttributes("application/json"))

    async def _follow_end(self, job: Job | None) -> None:
        """Does what follows the job's end, in case the run that ended it died before."""
        if job is None or not job.state.terminal:
            return
        if job.state is not State.COMPLETED:
            await self._starts.take_back(job)
        await self._transitions.follow_end(job)


def _why_empty(archived: Archived) -> str:
    """Returns one sentence that says why a dataset has no image, with the counts."""
    totals: Counter[str] = Counter()
    for outcomes in archived.counts.values():
        totals.update(outcomes)
    if not totals:
        return "No images were found."
    reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(totals.items()))
    return f"Of {totals.total()} found, no image could be kept: {reasons}."


def _later_in_lane(part: int, missing: Sequence[int]) -> Sequence[int]:
    """Returns the missing parts that come after `part` in its lane."""
    return [other for other in missing if other > part and (other - part) % _PARTS_IN_FLIGHT == 0]


def _dataset(job: Job, archived: Archived, webhook_url: str | None) -> Dataset:
    return Dataset(
        id=job.id,
        user_id=job.user_id,
        revision=job.revision,
        name=job.name,
        created_at=job.created_at,
        image_count=archived.image_count,
        size_bytes=archived.size_bytes,
        format=archived.format,
        tier=Tier.HOT,
        blobs=archived.blobs,
        records_blob=archived.records_blob,
        counts=Tally().plus(Tally(archived.counts)).counts,
        splits=archived.splits,
        sha256=archived.checksums[archived.blobs[0]].sha256 if len(archived.blobs) == 1 else None,
        checksums=archived.checksums,
        webhook_url=webhook_url,
        diff=archived.diff,
        base_revision=job.refresh.base if job.refresh else None,
        keeping=Keeping(tier_changed_at=job.updated_at),
    )
