"""Step 4 of a job: make the dataset of what was kept, record it, and end the job."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from shared.archiving.archiver import Archiver, Progress
from shared.archiving.order import Archived, ArchiveOrder
from shared.archiving.planning.plan import Plan
from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.errors import Damaged, Permanent
from shared.jobs.archive_step.start import ArchiveStarts, parents_of
from shared.jobs.flow.job_watch import JobEnded, JobWatch, JobWatches
from shared.jobs.flow.transitions import Transitions
from shared.jobs.job.failures import ARCHIVE_FAILED, NO_IMAGES
from shared.jobs.job.job import Job
from shared.jobs.job.messages import ARCHIVES_QUEUE, JobMessage, message_of
from shared.jobs.job.states import State
from shared.jobs.ledger.job_data import JobData
from shared.jobs.ledger.tally import Tally
from shared.records.blob_names import archive_prefix, records_blob, revision_prefix
from shared.storage.blobs import Tier

_PARTS_IN_FLIGHT = (
    32  # messages of one archive at a time, so that small archives get through beside huge ones
)


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
        return f"Of {sum(totals.values())} found, no image could be kept: {reasons}."


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
        self._transitions = transitions
        self._archiver = archiver
        self._catalog = catalog
        self._starts = ArchiveStarts(data.storage.blobs, catalog)
        self._watches = watches

    async def run(self, message: JobMessage, deadline: Deadline) -> None:
        """Archive until the dataset stands, or the deadline passes and a continuation is enqueued.

        A dataset of several parts is shared out over as many messages; whoever writes the last part finishes. Where
        the job is cancelled meanwhile, the work is broken off within seconds.

        Raises:
            Retryable: storage did not answer; the message should come again.
        """
        job = await self._jobs.get(message.user_id, message.job_id)
        if job is None:
            return
        if job.state is not State.ARCHIVING:
            await self._ended(job)
            return
        try:
            await self._run(job, message, deadline)
        except JobEnded:
            await self._ended(await self._jobs.get(job.user_id, job.id))
        except Damaged as error:
            await self._ended(await self._transitions.fail_damaged(job, error))
        except Permanent as error:
            await self._ended(await self._transitions.fail(job, ARCHIVE_FAILED, error.detail, error))

    async def _run(self, job: Job, message: JobMessage, deadline: Deadline) -> None:
        watch = self._watches.watch(job)
        archived = await watch.unless_ended(self._advance(job, message, deadline, watch))
        if archived is None:
            return
        if archived.image_count == 0:
            await self._transitions.fail(job, NO_IMAGES, _Nothing(archived).detail)
        else:
            await self._complete(job, archived)

    async def _advance(
        self, job: Job, message: JobMessage, deadline: Deadline, watch: JobWatch
    ) -> Archived | None:
        """Do what the message is for; None where more messages have to be handled first."""
        if message.part:
            digest, _, number = message.part.partition("/")
            plan = await self._archiver.load_plan(archive_prefix(job.id, job.revision), digest)
            if plan is None:  # it was an earlier revision's
                return None
            mine: Sequence[int] = [int(number)]
        else:
            plan = await self._archiver.begin(await self._order(job))
            alone = len(plan.parts) <= 1
            mine = range(len(plan.parts)) if alone else await self._archiver.find_missing(plan)
            if mine and not alone:
                await self._share_out(job, plan, mine)
                return None
        for part in mine:
            go_on = partial(self._share_out_behind, job, plan, part)
            written = await self._archiver.write_part(plan, part, deadline, go_on)
            if written is not Progress.ALL_WRITTEN:
                await self._transitions.touch(job)
                if written is Progress.OUT_OF_TIME:
                    await self._share_out(job, plan, [part])
                return None
        await watch.check()
        archived = await self._archiver.finish(plan, deadline)
        if archived is None:
            await self._share_out(job, plan, await self._archiver.find_missing(plan))
        return archived

    async def _share_out(self, job: Job, plan: Plan, missing: Sequence[int]) -> None:
        """A message for the first part of each row: many function instances write at the same time.

        Parts stand in `_PARTS_IN_FLIGHT` rows, in turn; who has written a part sends the next one of its row.
        """
        first: dict[int, int] = {}
        for part in missing:
            first.setdefault(part % _PARTS_IN_FLIGHT, part)
        for part in first.values():
            name = f"{plan.header.digest}/{part}"
            await self._queues.send(ARCHIVES_QUEUE, message_of(job, part=name))

    async def _share_out_behind(self, job: Job, plan: Plan, part: int) -> None:
        """The message for what comes behind a part in its row, unless another run has noted the part meanwhile.

        Of two messages for one part only one goes on, unless they are through at the same moment.
        """
        missing = await self._archiver.find_missing(plan)
        if part in missing:
            await self._share_out(job, plan, _behind(part, missing))

    async def _order(self, job: Job) -> ArchiveOrder:
        spec = await self._jobs.needed_spec(job.id)
        records = [records_blob(job.id, chunk.id) async for chunk in self._ledger.chunks(job.id)]
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
            dedup=spec.dedup,
            splits=spec.splits,
            output=spec.output,
            seed=spec.seed,
            prefix=revision_prefix(job.id, job.revision),
            work_prefix=archive_prefix(job.id, job.revision),
            earlier=start.earlier,
            parents=parents_of(spec),
            changes=spec.transform.words if spec.transform else "",
        )

    async def _complete(self, job: Job, archived: Archived) -> None:
        """Record the dataset, then end the job; where it ended otherwise meanwhile, take the dataset back."""
        start = await self._starts.stored(job)
        await self._catalog.put(_dataset(job, archived))
        ended = await self._transitions.complete(job, archived.image_count)
        if ended.state is not State.COMPLETED or ended.revision != job.revision:
            await self._starts.take_back(job, start)

    async def _ended(self, job: Job | None) -> None:
        """Make up for what a run that died has left undone at the end of the job."""
        if job is None or not job.state.terminal:
            return
        if job.state is not State.COMPLETED:
            await self._starts.take_back(job)
        await self._transitions.follow_end(job)


def _behind(part: int, missing: Sequence[int]) -> Sequence[int]:
    """What of a part's row is missing behind it."""
    return [other for other in missing if other > part and (other - part) % _PARTS_IN_FLIGHT == 0]


def _dataset(job: Job, archived: Archived) -> Dataset:
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
    )
