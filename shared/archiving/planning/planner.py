"""Makes the plan of a dataset from a job's records, in two passes over them.

The first pass decides which images the dataset has, and where they go. The second pass writes all texts, as they are
made, to working blobs: they may be too large for memory. So a plan takes some hundred bytes of memory for each image.
"""

import asyncio
from dataclasses import dataclass, replace

from shared.archiving.formats.format import ArchiveFormat
from shared.archiving.formats.registry import format_of
from shared.archiving.layout.contents import Contents, File
from shared.archiving.order import ArchiveOrder
from shared.archiving.planning.choose import Choice, choose
from shared.archiving.planning.pictures import show
from shared.archiving.planning.plan import Plan, PlanHeader
from shared.archiving.planning.preview import PreviewMaker
from shared.archiving.planning.text_writer import WorkingBlobs
from shared.archiving.planning.write_texts import write_texts
from shared.archiving.selection.columns import read_columns
from shared.archiving.selection.earlier import read_earlier
from shared.archiving.selection.record_blobs import RecordBlobs
from shared.concurrency import task_group
from shared.damage import reading
from shared.errors import AlreadyExists, NotFound
from shared.optouts.matcher import NO_OPTOUTS
from shared.optouts.optout_list import OptOutList
from shared.records.blob_names import plan_blob, plan_texts_prefix
from shared.runtime import Runtime
from shared.storage.blobs import BlockStore


@dataclass(frozen=True, slots=True)
class PlanConfig:
    """The sizes of the parts that one function instance writes at a time, and of the blocks in them.

    One instance writes a part of 4 GiB in about half a minute. The checksum of a file that is one part is computed
    while the file is written. A file of several parts must be read again for its checksum.
    """

    part_bytes: int = 4 << 30
    block_bytes: int = 16 << 20


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan whose images are chosen, but whose texts are not made yet.

    `plan` is what it would be without texts. It has the images at the same places as the finished plan.
    """

    order: ArchiveOrder
    records: RecordBlobs
    working: WorkingBlobs
    choice: Choice
    plan: Plan


class Planner:
    """Makes plans and stores them. An order has one plan: the first one that was stored.

    `draft`, `complete` and `store` make one, in this order, if `load` has not found one.
    """

    def __init__(
        self,
        blobs: BlockStore,
        runtime: Runtime,
        config: PlanConfig,
        previews: PreviewMaker | None = None,
        optouts: OptOutList | None = None,
    ) -> None:
        self._blobs = blobs
        self._runtime = runtime
        self._config = config
        self._previews = previews
        self._optouts = optouts

    async def load(self, work_prefix: str, digest: str) -> Plan | None:
        """Reads the stored plan of the order with this digest; returns None if there is none.

        Raises:
            Damaged: the plan cannot be read.
        """
        try:
            data = await self._blobs.get(plan_blob(work_prefix, digest))
        except NotFound:
            return None
        with reading("the plan of the archive"):
            return Plan.decode(data)

    async def draft(self, order: ArchiveOrder) -> Draft:
        """Chooses the images of an order, in a first pass over the records.

        Raises:
            Permanent: an earlier dataset that the order names is gone.
            Damaged: the records of the job are gone or cannot be read.
        """
        form = format_of(order.output.format, order.optional_columns)
        planned_at = self._runtime.clock.now()
        # each run writes texts of its own: a run of another version of the app may write other texts at the same time
        prefix = plan_texts_prefix(order.work_prefix, order.digest, self._runtime.ids.nonce())
        working = WorkingBlobs(self._blobs, prefix)
        records = RecordBlobs(self._blobs, order.record_blobs)
        optouts = await self._optouts.fresh() if self._optouts is not None else NO_OPTOUTS
        columns = await read_columns(records, form, optouts)
        earlier = await read_earlier(self._blobs, order.earlier)
        choice = await asyncio.to_thread(choose, order, columns, earlier, working.sidecars)
        header = PlanHeader(
            digest=order.digest,
            job_id=order.job_id,
            format=order.output.format,
            prefix=order.prefix,
            planned_at=planned_at,
            contents=choice.contents,
            files=_files(choice, form, choice.contents),
            part_bytes=self._config.part_bytes,
            block_bytes=min(self._config.block_bytes, self._config.part_bytes),
            split_counts=choice.split_counts,
            optional_columns=order.optional_columns,
        )
        return Draft(order, records, working, choice, Plan(header, choice.images))

    async def complete(self, draft: Draft) -> Plan:
        """Writes the texts of a draft, in a second pass over the records; returns the plan with them.

        Raises:
            Damaged: the records of the job are gone or cannot be read.
        """
        choice = draft.choice
        form = format_of(draft.order.output.format, draft.order.optional_columns)
        async with task_group() as tasks:
            # threads make small images while the records are read again
            shown = tasks.create_task(show(choice, form, self._previews))
            texts = await write_texts(draft.order, draft.records, choice, draft.working, shown)
        contents = replace(choice.contents, texts=texts.files)
        header = replace(
            draft.plan.header,
            records_blob=texts.records_blob,
            contents=contents,
            files=_files(choice, form, contents),
            description=texts.description,
            counts=texts.counts,
            diff=texts.diff,
        )
        return Plan(header, choice.images)

    async def store(self, order: ArchiveOrder, plan: Plan) -> Plan:
        """Stores the plan of the order, and returns it. If there is one already, that one is returned.

        Raises:
            Damaged: the stored plan cannot be read.
        """
        try:
            await self._blobs.put(plan_blob(order.work_prefix, order.digest), plan.encode(), overwrite=False)
        except AlreadyExists:
            return await self.load(order.work_prefix, order.digest) or plan
        return plan


def _files(choice: Choice, form: ArchiveFormat, contents: Contents) -> tuple[File, ...]:
    return tuple(form.delivered(choice.files, choice.images, contents)) if choice.files else ()
