"""The second pass over a job's records: all text of the dataset, written row by row while the records stream by."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.archiving.layout.names import file_name
from shared.archiving.order import ArchiveOrder
from shared.archiving.planning.plan import TextFile
from shared.archiving.selection.columns import Columns
from shared.archiving.selection.earlier import Earlier
from shared.archiving.selection.record_blobs import RecordBlobs
from shared.archiving.selection.select import REASONS, Selection
from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.annotations import annotations_of, sidecar
from shared.archiving.texts.card import card, checksum_of
from shared.archiving.texts.metadata import Placed, told_of
from shared.damage import reading
from shared.records.delivered import RECORDS, encode_delivered, fields_of
from shared.records.records import Kept, Record, decode_records
from shared.storage.blobs import BlobAttributes, BlobStore, BlockStore
from shared.storage.writer import BlobWriter

KEPT = "kept"
_FLUSH_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the first pass decided. `split`, `file` and `offset` are by row of `columns`, -1 where it is not selected.

    `folders` is by label, `files` are the names of those that hold the images.
    """

    columns: Columns
    selection: Selection
    earlier: Earlier
    splits: Sequence[str]
    folders: Sequence[str]
    files: Sequence[str]
    split: NDArray[np.int8]
    file: NDArray[np.int32]
    offset: NDArray[np.int64]

    @property
    def split_counts(self) -> dict[str, int]:
        """Images by split, without the splits that have none."""
        numbers, counts = np.unique(self.split[self.split >= 0], return_counts=True)
        return {
            self.splits[number]: count
            for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
        }


class _Row(NamedTuple):
    """What is decided of one image that the crawl kept; `number` is its row."""

    number: int
    verdict: int
    split: int
    file: int
    offset: int
    label: int
    extension: int


@dataclass(slots=True)
class Texts:
    """What the second pass wrote. `beside` is, by row, where its sidecars begin in `sidecars_blob`."""

    records_blob: str
    sidecars_blob: str
    beside: NDArray[np.int64]
    files: tuple[TextFile, ...] = ()
    counts: dict[str, dict[str, int]] = field(default_factory=dict)


async def write_texts(
    blobs: BlobStore,
    blocks: BlockStore,
    order: ArchiveOrder,
    records: RecordBlobs,
    chosen: Chosen,
    work_prefix: str,
) -> Texts:
    """Write the annotations to working blobs, and the records to where they are delivered."""
    return await _Pass(blobs, blocks, order, records, chosen, work_prefix).run()


class _Writer:
    """A text on its way into a blob; a short one stays in memory until it is closed."""

    def __init__(self, blobs: BlobStore, blocks: BlockStore, blob: str) -> None:
        self._writer = BlobWriter(blobs, blocks, blob)
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self.blob = blob
        self.crc32 = 0
        self.size = 0

    async def add(self, data: bytes) -> None:
        """Add some bytes."""
        if not data:
            return
        self.crc32 = zlib.crc32(data, self.crc32)
        self.size += len(data)
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes >= _FLUSH_BYTES:
            await self._flush()

    async def close(self, attributes: BlobAttributes | None = None) -> None:
        """Write the rest."""
        await self._flush()
        await self._writer.close(attributes)

    async def move(self, other: "_Writer") -> bool:
        """Add all of it to another blob instead; False where a part is on its way already."""
        if self._pending_bytes != self.size:
            return False
        await other.add(b"".join(self._pending))
        return True

    async def _flush(self) -> None:
        data, self._pending, self._pending_bytes = b"".join(self._pending), [], 0
        await self._writer.append(data)


class _Pass:
    def __init__(
        self,
        blobs: BlobStore,
        blocks: BlockStore,
        order: ArchiveOrder,
        records: RecordBlobs,
        chosen: Chosen,
        work_prefix: str,
    ) -> None:
        self._blobs = blobs
        self._blocks = blocks
        self._order = order
        self._records = records
        self._chosen = chosen
        self._work_prefix = work_prefix
        self._sources: dict[str, int] = {}
        self._licenses: dict[str, int] = {}
        self._in_folders = order.output.format == "zip"
        columns = chosen.columns
        self._texts = Texts(
            records_blob=f"{order.prefix}{RECORDS}",
            sidecars_blob=f"{work_prefix}sidecars",
            beside=np.full(len(columns), -1, np.int64),
        )
        self._row_of = np.full(len(columns.newest), -1, np.int64)
        self._row_of[columns.index] = np.arange(len(columns))

    async def run(self) -> Texts:
        """Go through the records."""
        order, splits = self._order, list(self._chosen.split_counts)
        annotations = annotations_of(order, splits, self._chosen.columns.labels)
        writers = [self._open(annotation.name) for annotation in annotations]
        records = _Writer(self._blobs, self._blocks, self._texts.records_blob)
        sidecars = self._open("sidecars")
        for annotation, writer in zip(annotations, writers, strict=True):
            await writer.add(annotation.begin())
        newest = self._chosen.columns.newest
        position = 0
        async for data in self._records.read():
            with reading(self._records.what(position)):
                counting = [record for record in decode_records(data) if newest[record.index] == position]
            lines, images = self._judge(counting)
            position += 1
            for annotation, writer in zip(annotations, writers, strict=True):
                await writer.add(annotation.rows(images))
            if not self._in_folders:
                await self._write_beside(images, sidecars)
            await records.add(encode_delivered(lines))
        if not records.size:
            # an empty file would not be gzip
            await records.add(encode_delivered([]))
        await records.close(BlobAttributes("application/gzip"))
        await sidecars.close()
        self._texts.files = await self._close(annotations, writers)
        return self._texts

    def _open(self, name: str) -> _Writer:
        return _Writer(self._blobs, self._blocks, f"{self._work_prefix}{name}")

    async def _close(
        self, annotations: Sequence[Annotation], writers: Sequence[_Writer]
    ) -> tuple[TextFile, ...]:
        """End the texts; short ones share a blob, so that they are written, and read again, with one call."""
        readme = self._open("README.md")
        counts, splits = self._texts.counts, self._chosen.split_counts
        labels = self._chosen.columns.labels
        checksum = checksum_of(self._chosen.columns.sha256[self._chosen.selection.rows])
        text = card(self._order, counts, splits, self._sources, self._licenses, labels, checksum)
        await readme.add(text.encode("utf-8", "replace"))
        for annotation, writer in zip(annotations, writers, strict=True):
            for piece in annotation.end():
                await writer.add(piece)
        files: list[TextFile] = []
        shared = self._open("texts")
        names = ["README.md", *(annotation.name for annotation in annotations)]
        for name, writer in zip(names, [readme, *writers], strict=True):
            at = shared.size
            if await writer.move(shared):
                files.append(TextFile(name, writer.size, writer.crc32, shared.blob, at))
            else:
                await writer.close()
                files.append(TextFile(name, writer.size, writer.crc32, writer.blob))
        await shared.close()
        return tuple(files)

    async def _write_beside(self, images: Sequence[Placed], sidecars: _Writer) -> None:
        found: list[bytes] = []
        at = sidecars.size
        for image in images:
            self._texts.beside[self._row_of[image.record.index]] = at
            pair = sidecar(image.record, image.told)
            found += pair
            at += len(pair[0]) + len(pair[1])
        await sidecars.add(b"".join(found))

    def _judge(self, records: Sequence[Record]) -> tuple[list[dict[str, object]], list[Placed]]:
        """The records as they are delivered, and the images among them that go anywhere."""
        lines: list[dict[str, object]] = []
        images: list[Placed] = []
        rows = iter(self._rows([record.index for record in records]))
        for record in records:
            known = fields_of(record)
            word = None
            if isinstance(record.outcome, Kept):
                row = next(rows)
                reason = REASONS[row.verdict]
                if reason is None:
                    word = KEPT
                    placed = self._place(record, record.outcome, row)
                    images.append(placed)
                    file = self._chosen.files[row.file]
                    known |= {"split": placed.split, "file": placed.path, "blob": file, "offset": row.offset}
                else:
                    known |= {"outcome": "rejected", "reason": str(reason), **self._same_as(row.number)}
            outcomes = self._texts.counts.setdefault(record.candidate.label, {})
            word = word or str(known["reason"])
            outcomes[word] = outcomes.get(word, 0) + 1
            lines.append(known)
        return lines, images

    def _rows(self, indices: Sequence[int]) -> list[_Row]:
        """What is decided of those of the candidates that were kept; from NumPy all at once, which is quicker."""
        rows = self._row_of[np.array(indices, np.int64)]
        rows = rows[rows >= 0]
        chosen = self._chosen
        columns = (
            rows,
            chosen.selection.verdict[rows],
            chosen.split[rows],
            chosen.file[rows],
            chosen.offset[rows],
            chosen.columns.label[rows],
            chosen.columns.extension[rows],
        )
        return list(map(_Row, *(column.tolist() for column in columns)))

    def _same_as(self, row: int) -> dict[str, object]:
        twin, known = int(self._chosen.selection.twin[row]), int(self._chosen.selection.known[row])
        if twin >= 0:
            return {"same_as": int(self._chosen.columns.index[twin])}
        if known >= 0:
            earlier = self._chosen.earlier
            dataset = earlier.datasets[int(earlier.dataset[known])]
            return {"same_as": int(earlier.index[known]), "same_as_dataset": dataset}
        return {}

    def _place(self, record: Record, kept: Kept, row: _Row) -> Placed:
        provenance = record.candidate.provenance
        self._sources[provenance.source] = self._sources.get(provenance.source, 0) + 1
        self._licenses[provenance.license] = self._licenses.get(provenance.license, 0) + 1
        chosen = self._chosen
        split = chosen.splits[row.split]
        file = file_name(record.index, row.extension)
        local = f"{chosen.folders[row.label]}/{file}" if self._in_folders else file
        path = f"{split}/{local}" if self._in_folders else file
        return Placed(record, kept, split, path, local, row.label, told_of(record, kept, path))
