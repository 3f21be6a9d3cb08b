"""Makes a plan of a job's records, in two passes over them: what goes into the dataset and where, then all of its text.

The texts are written to working blobs as they are made, for they can be as long as the job is large; some hundred bytes
an image are what stays in memory.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from shared.archiving.layout.names import folder_names
from shared.archiving.order import ArchiveOrder
from shared.archiving.planning.arrange import (
    MEMBERS,
    File,
    Images,
    ZipNames,
    cut_shards,
    tar_layout,
    zip_layout,
)
from shared.archiving.planning.plan import Plan, PlanHeader, plan_blob
from shared.archiving.planning.write_texts import Chosen, write_texts
from shared.archiving.selection.columns import Columns, read_columns
from shared.archiving.selection.earlier import Earlier, read_earlier
from shared.archiving.selection.record_blobs import RecordBlobs
from shared.archiving.selection.select import Selection, select
from shared.archiving.selection.split import assign_splits, draw
from shared.clock import Clock
from shared.damage import reading
from shared.errors import AlreadyExists, NotFound
from shared.ids import Ids, RandomIds
from shared.storage.blobs import BlobStore, BlockStore

ZIP = "dataset.zip"
_IDS = RandomIds()


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

    def __init__(
        self, blobs: BlobStore, blocks: BlockStore, clock: Clock, config: PlanConfig, ids: Ids = _IDS
    ) -> None:
        self._blobs = blobs
        self._blocks = blocks
        self._clock = clock
        self._config = config
        self._ids = ids

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
        shards = order.output.format == "webdataset"
        planned_at = self._clock.now()
        records = RecordBlobs(self._blobs, order.record_blobs)
        columns = await read_columns(records, sidecars=shards)
        earlier = await read_earlier(self._blobs, order.earlier)
        chosen, images, files = await asyncio.to_thread(_choose, order, columns, earlier)
        # texts of its own, so that the plan is of one whole whatever another run, of another version, writes meanwhile
        work = f"{order.work_prefix}{order.digest}/{self._ids.nonce()}/"
        texts = await write_texts(self._blobs, self._blocks, order, records, chosen, work)
        images.beside = (
            texts.beside[np.searchsorted(columns.index, images.index)] if shards else images.offset
        )
        header = PlanHeader(
            digest=order.digest,
            job_id=order.job_id,
            prefix=order.prefix,
            created_at=order.created_at,
            planned_at=planned_at,
            records_blob=texts.records_blob,
            splits=tuple(order.splits.shares),
            folders=tuple(_folders(columns)),
            shards=columns.shards,
            sidecars=texts.sidecars_blob,
            texts=texts.files,
            files=(),
            part_bytes=self._config.part_bytes,
            block_bytes=min(self._config.block_bytes, self._config.part_bytes),
            counts=texts.counts,
            split_counts=chosen.split_counts,
        )
        return Plan(replace(header, files=_files(Plan(header, images), files, shards=shards)), images)


def _choose(order: ArchiveOrder, columns: Columns, earlier: Earlier) -> tuple[Chosen, Images, list[File]]:
    """Everything that is decided before a word is written."""
    selection = select(columns, order.dedup, order.max_images_per_label, earlier, order.whole_labels)
    rows = selection.rows
    shares = order.splits.shares
    split = assign_splits(columns, rows, shares, order.seed, order.dedup)
    shards = order.output.format == "webdataset"
    if shards:
        shuffled = np.lexsort((draw(columns, rows, f"order {order.seed}"), split))
        rows, split = rows[shuffled], split[shuffled]
    images = _images(columns, rows, split)
    splits = tuple(shares)
    folders = _folders(columns)
    files: list[File] = []
    if not len(images):
        offsets = np.empty(0, np.int64)
    elif shards:
        files = cut_shards(images, splits, order.output.shard_size, order.created_at)
        layouts = (tar_layout(images, file.start, file.end, order.created_at) for file in files)
        offsets = np.concatenate([layout.data_offsets[::MEMBERS] for layout in layouts])
    else:
        files = [File(ZIP, "zip", 0, len(images))]
        names = ZipNames(images, splits, folders, ())
        offsets = zip_layout(images, names, (), (), order.created_at).data_offsets
    chosen = _chosen(columns, selection, earlier, splits, folders, rows, split, files, offsets)
    return chosen, images, files


def _chosen(
    columns: Columns,
    selection: Selection,
    earlier: Earlier,
    splits: Sequence[str],
    folders: Sequence[str],
    rows: NDArray[np.int64],
    split: NDArray[np.int8],
    files: Sequence[File],
    offsets: NDArray[np.int64],
) -> Chosen:
    """What is decided, by row."""
    count = len(columns)
    by_row = Chosen(
        columns=columns,
        selection=selection,
        earlier=earlier,
        splits=splits,
        folders=folders,
        files=tuple(file.name for file in files),
        split=np.full(count, -1, np.int8),
        file=np.full(count, -1, np.int32),
        offset=np.full(count, -1, np.int64),
    )
    by_row.split[rows] = split
    by_row.offset[rows] = offsets
    for number, file in enumerate(files):
        by_row.file[rows[file.start : file.end]] = number
    return by_row


def _images(columns: Columns, rows: NDArray[np.int64], split: NDArray[np.int8]) -> Images:
    return Images(
        index=columns.index[rows],
        label=columns.label[rows],
        split=split,
        extension=columns.extension[rows],
        shard=columns.shard[rows],
        offset=columns.offset[rows],
        size=columns.size[rows],
        crc32=columns.crc32[rows],
        beside=np.zeros(len(rows), np.int64),
        json=columns.json[rows],
        text=columns.text[rows],
    )


def _folders(columns: Columns) -> list[str]:
    names = folder_names(columns.labels)
    return [names[label] for label in columns.labels]


def _files(plan: Plan, files: Sequence[File], *, shards: bool) -> tuple[File, ...]:
    """The files with their sizes, which the texts belong to or stand behind."""
    if not files:
        return ()
    if not shards:
        return tuple(replace(file, size=plan.layout(file).size) for file in files)
    texts = plan.header.texts
    delivered = (File(text.name, "text", at, at + 1, text.size) for at, text in enumerate(texts))
    return (*files, *delivered)
