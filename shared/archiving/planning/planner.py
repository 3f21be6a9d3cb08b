"""Makes a plan of a job's records, in two passes over them: what goes into the dataset and where, then all of its text.

The texts are written to working blobs as they are made, for they can be as long as the job is large; some hundred bytes
an image are what stays in memory.
"""

import asyncio
from dataclasses import dataclass, replace

from shared.archiving.formats.registry import FORMATS
from shared.archiving.order import ArchiveOrder
from shared.archiving.planning.choose import choose
from shared.archiving.planning.plan import Plan, PlanHeader
from shared.archiving.planning.write_texts import write_texts
from shared.archiving.selection.columns import read_columns
from shared.archiving.selection.earlier import read_earlier
from shared.archiving.selection.record_blobs import RecordBlobs
from shared.damage import reading
from shared.errors import AlreadyExists, NotFound
from shared.records.blob_names import plan_blob, plan_texts_prefix
from shared.runtime import Runtime
from shared.storage.blobs import BlockStore


@dataclass(frozen=True, slots=True)
class PlanConfig:
    """`part_bytes` is what one function instance writes on its own, in blocks of `block_bytes` or of a smaller part.

    Four GiB are half a minute of writing at what one instance does. Up to there the checksum of a file is made while it
    is written; a file of several parts has to be read through for it.
    """

    part_bytes: int = 4 << 30
    block_bytes: int = 16 << 20


class Planner:
    """Makes plans, and keeps them: the first that is stored for an order is the order's."""

    def __init__(self, blobs: BlockStore, runtime: Runtime, config: PlanConfig) -> None:
        self._blobs = blobs
        self._runtime = runtime
        self._config = config

    async def plan(self, order: ArchiveOrder) -> Plan:
        """The order's plan; made where there is none.

        Raises:
            Permanent: an earlier dataset, against which is to be deduplicated, is gone.
            Damaged: the records of the job, or the stored plan, are gone or cannot be read.
        """
        stored = await self.stored(order.work_prefix, order.digest)
        if stored is not None:
            return stored
        plan = await self._make(order)
        try:
            await self._blobs.put(plan_blob(order.work_prefix, order.digest), plan.encode(), overwrite=False)
        except AlreadyExists:
            return await self.stored(order.work_prefix, order.digest) or plan
        return plan

    async def stored(self, work_prefix: str, digest: str) -> Plan | None:
        """The stored plan of that name, if there is one.

        Raises:
            Damaged: it cannot be read.
        """
        try:
            data = await self._blobs.get(plan_blob(work_prefix, digest))
        except NotFound:
            return None
        with reading("the plan of the archive"):
            return Plan.decode(data)

    async def _make(self, order: ArchiveOrder) -> Plan:
        form = FORMATS[order.output.format]
        planned_at = self._runtime.clock.now()
        records = RecordBlobs(self._blobs, order.record_blobs)
        columns = await read_columns(records, sidecars=form.sidecars)
        earlier = await read_earlier(self._blobs, order.earlier)
        chosen = await asyncio.to_thread(choose, order, columns, earlier)
        # texts of its own, so that the plan is of one whole whatever another run, of another version, writes meanwhile
        work = plan_texts_prefix(order.work_prefix, order.digest, self._runtime.ids.nonce())
        texts = await write_texts(self._blobs, order, records, chosen, work)
        images = replace(chosen.images, beside=texts.beside[chosen.images.index])
        contents = replace(chosen.contents, sidecars=texts.sidecars_blob, texts=texts.files)
        header = PlanHeader(
            digest=order.digest,
            job_id=order.job_id,
            format=order.output.format,
            prefix=order.prefix,
            planned_at=planned_at,
            records_blob=texts.records_blob,
            contents=contents,
            files=tuple(form.delivered(chosen.files, images, contents)) if chosen.files else (),
            part_bytes=self._config.part_bytes,
            block_bytes=min(self._config.block_bytes, self._config.part_bytes),
            counts=texts.counts,
            split_counts=chosen.split_counts,
        )
        return Plan(header, images)
