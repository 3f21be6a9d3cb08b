"""Pass one and two over a job's records: what goes into the dataset, and all of its text.

The texts are written to working blobs as they are made, for they can be as long as the job is large; what is needed to
lay out the archive stays: names, sizes, checksums.
"""

import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from shared.archiving.annotations import Annotation, Placed, annotations_of
from shared.archiving.card import card
from shared.archiving.names import folder_names
from shared.archiving.order import ArchiveOrder
from shared.archiving.select import REASONS, Selection, select
from shared.archiving.split import assign_splits
from shared.archiving.table import EXTENSIONS, Columns, read_columns, read_records
from shared.archiving.zip_layout import ZipEntry
from shared.records import Kept, Record
from shared.storage.blobs import BlobAttributes, BlobStore, BlockStore
from shared.storage.writer import BlobWriter

KEPT = "kept"
_FLUSH_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file of the archive, whose bytes are in a working blob."""

    entry: ZipEntry
    blob: str


@dataclass(slots=True)
class Plan:
    """What is to be written. `rows` are the selected rows of `columns`, in the archive's order, with their paths."""

    columns: Columns
    rows: NDArray[np.int64]
    splits: list[str]
    folders: Mapping[str, str]
    texts: list[TextFile] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def split_counts(self) -> dict[str, int]:
        """Images by split."""
        found: dict[str, int] = {}
        for split in self.splits:
            found[split] = found.get(split, 0) + 1
        return found

    def path(self, position: int) -> str:
        """The path of the image at a position of `rows`."""
        row = int(self.rows[position])
        folder = self.folders[self.columns.labels[int(self.columns.label[row])]]
        return f"{self.splits[position]}/{folder}/{self.file(row)}"

    def file(self, row: int) -> str:
        """The file name of a row: the candidate's index in the job, and the format's extension."""
        return f"{int(self.columns.index[row]):08}.{EXTENSIONS[int(self.columns.extension[row])]}"

    def image_entry(self, position: int) -> ZipEntry:
        """The archive's entry for the image at a position of `rows`."""
        row = int(self.rows[position])
        return ZipEntry(self.path(position), int(self.columns.size[row]), int(self.columns.crc32[row]))


class Planner:
    """Makes plans; the same order gives the same plan, and the same bytes in the same working blobs."""

    def __init__(self, blobs: BlobStore, blocks: BlockStore) -> None:
        self._blobs = blobs
        self._blocks = blocks

    async def plan(self, order: ArchiveOrder) -> Plan:
        """Read all records, select, split, and write the texts."""
        columns = await read_columns(self._blobs, order.record_blobs)
        selection = select(columns, order.dedup, order.max_images_per_label)
        rows = selection.rows
        splits = assign_splits(columns, rows, order.splits.shares, order.seed)
        plan = Plan(columns, rows, splits, folder_names(columns.labels))
        await _Pass(self._blobs, self._blocks, order, plan, selection).run()
        return plan


class _Text:
    """An annotation on its way into a working blob."""

    def __init__(self, annotation: Annotation, writer: BlobWriter) -> None:
        self.annotation = annotation
        self._writer = writer
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._crc32 = 0

    async def add(self, text: str) -> None:
        """Add some text."""
        if not text:
            return
        data = text.encode("utf-8", "replace")
        self._crc32 = zlib.crc32(data, self._crc32)
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes >= _FLUSH_BYTES:
            await self._flush()

    async def close(self) -> TextFile:
        """Write the rest."""
        await self._flush()
        await self._writer.close()
        entry = ZipEntry(self.annotation.name, self._writer.size, self._crc32)
        return TextFile(entry, self._writer.name)

    async def _flush(self) -> None:
        data, self._pending, self._pending_bytes = b"".join(self._pending), [], 0
        await self._writer.append(data)


class _Pass:
    """The second pass: texts, counts, and the delivered records."""

    def __init__(
        self, blobs: BlobStore, blocks: BlockStore, order: ArchiveOrder, plan: Plan, selection: Selection
    ) -> None:
        self._blobs = blobs
        self._blocks = blocks
        self._order = order
        self._plan = plan
        self._selection = selection
        self._row_of = {int(index): row for row, index in enumerate(plan.columns.index)}
        self._position_of = {int(row): position for position, row in enumerate(plan.rows)}
        self._label_numbers = {label: number for number, label in enumerate(plan.columns.labels)}
        self._sources: dict[str, int] = {}
        self._licenses: dict[str, int] = {}

    async def run(self) -> None:
        order, plan = self._order, self._plan
        splits = list(dict.fromkeys(name for name in order.splits.root if name in plan.split_counts))
        annotations = annotations_of(order.output, splits, plan.columns.labels)
        texts = [
            _Text(annotation, BlobWriter(self._blobs, self._blocks, f"{order.work_prefix}{annotation.name}"))
            for annotation in annotations
        ]
        records = BlobWriter(self._blobs, self._blocks, records_blob(order))
        for text in texts:
            await text.add(text.annotation.begin())
        for number, name in enumerate(order.record_blobs):
            lines: list[bytes] = []
            async for record in read_records(self._blobs, [name]):
                if plan.columns.newest[record.index] != number:
                    continue  # it was tried again
                placed, line = self._place(record)
                lines.append(line)
                if placed is not None:
                    for text in texts:
                        await text.add(text.annotation.row(placed))
            await records.append(_gzip_member(b"".join(lines)))
        for text in texts:
            await text.add(text.annotation.end())
        await records.close(BlobAttributes("application/gzip"))
        readme = _Text(_Card(), BlobWriter(self._blobs, self._blocks, f"{order.work_prefix}README.md"))
        await readme.add(card(order, plan.counts, plan.split_counts, self._sources, self._licenses))
        plan.texts = [await text.close() for text in (readme, *texts)]

    def _place(self, record: Record) -> tuple[Placed | None, bytes]:
        """Where the record's image goes, if it goes anywhere, and its line in the delivered records."""
        label = record.candidate.label
        described = _described(record)
        placed = None
        outcome = record.outcome
        if isinstance(outcome, Kept):
            row = self._row_of[record.index]
            reason = REASONS[int(self._selection.verdict[row])]
            if reason is None:
                placed = self._placed(record, outcome, row)
                described |= {"outcome": KEPT, "split": placed.split, "file": placed.path}
            else:
                twin = int(self._selection.twin[row])
                same_as = int(self._plan.columns.index[twin]) if twin >= 0 else None
                described |= {"outcome": "rejected", "reason": str(reason), "same_as": same_as}
        counts = self._plan.counts.setdefault(label, {})
        word = str(described.get("reason", KEPT))
        counts[word] = counts.get(word, 0) + 1
        line = {key: value for key, value in described.items() if value not in (None, "", {})}
        return placed, json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    def _placed(self, record: Record, kept: Kept, row: int) -> Placed:
        provenance = record.candidate.provenance
        self._sources[provenance.source] = self._sources.get(provenance.source, 0) + 1
        self._licenses[provenance.license] = self._licenses.get(provenance.license, 0) + 1
        label = record.candidate.label
        return Placed(
            record,
            kept,
            self._plan.splits[self._position_of[row]],
            self._plan.folders[label],
            self._plan.file(row),
            self._label_numbers[label],
        )


class _Card:
    """README.md, which is made whole."""

    name = "README.md"

    def begin(self) -> str:
        return ""

    def row(self, image: Placed) -> str:
        del image
        return ""

    def end(self) -> str:
        return ""


def records_blob(order: ArchiveOrder) -> str:
    """Where the delivered records are."""
    return f"{order.prefix}records.jsonl.gz"


def _described(record: Record) -> dict[str, object]:
    candidate, outcome = record.candidate, record.outcome
    provenance = candidate.provenance
    described: dict[str, object] = {
        "index": record.index,
        "label": candidate.label,
        "url": candidate.url,
        "final_url": record.final_url,
        "fetched_at": record.fetched_at,
        "caption": candidate.caption,
        "extra": candidate.extra,
    }
    described |= {name: getattr(provenance, name) for name in provenance.__slots__}
    if isinstance(outcome, Kept):
        described |= {name: getattr(outcome.facts, name) for name in outcome.facts.__slots__}
    else:
        described |= {"outcome": "rejected", "reason": str(outcome.reason), "detail": outcome.detail}
    return described


def _gzip_member(data: bytes) -> bytes:
    """A gzip member without a time in it; members behind each other are one file (RFC 1952, 2.2)."""
    out = BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0, filename="") as packed:
        packed.write(data)
    return out.getvalue()
