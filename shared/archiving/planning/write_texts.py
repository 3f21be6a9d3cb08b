"""The second pass over a job's records: all text of the dataset, written row by row while the records stream by."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.archiving.formats.registry import FORMATS
from shared.archiving.layout.contents import TextFile
from shared.archiving.order import ArchiveOrder
from shared.archiving.planning.choose import Chosen
from shared.archiving.planning.text_writer import TextWriter, WorkingBlobs
from shared.archiving.planning.verdicts import Verdicts
from shared.archiving.selection.record_blobs import RecordBlobs
from shared.archiving.texts.annotations import sidecar
from shared.archiving.texts.card import Figures, card, checksum_of
from shared.archiving.texts.metadata import Placed
from shared.damage import reading
from shared.records.delivered import RECORDS, encode_delivered
from shared.records.records import Record, decode_records
from shared.storage.blobs import BlobAttributes, BlockStore


@dataclass(frozen=True, slots=True)
class Texts:
    """What the second pass wrote; `beside` is, by candidate index, where its sidecars begin in `sidecars_blob`."""

    records_blob: str
    sidecars_blob: str
    beside: NDArray[np.int64]
    files: tuple[TextFile, ...]
    counts: Mapping[str, Mapping[str, int]]


async def write_texts(
    blobs: BlockStore,
    order: ArchiveOrder,
    records: RecordBlobs,
    chosen: Chosen,
    work_prefix: str,
) -> Texts:
    """Write the annotations to working blobs, and the records to where they are delivered."""
    form = FORMATS[order.output.format]
    working = WorkingBlobs(blobs, work_prefix)
    verdicts = Verdicts(chosen, form)
    found = form.annotations(order, list(chosen.split_counts), chosen.columns.labels)
    annotations = [(annotation, working.open(annotation.name)) for annotation in found]
    delivered = TextWriter(blobs, f"{order.prefix}{RECORDS}")
    sidecars = working.open("sidecars")
    beside = np.zeros(len(chosen.columns.newest), np.int64)
    for annotation, writer in annotations:
        await writer.add(annotation.begin())
    async for counting in _counting(records, chosen.columns.newest):
        lines, images = verdicts.of(counting)
        for annotation, writer in annotations:
            await writer.add(annotation.rows(images))
        if form.sidecars:
            await _write_sidecars(images, sidecars, beside)
        await delivered.add(encode_delivered(lines))
    if not delivered.size:
        # an empty file would not be gzip
        await delivered.add(encode_delivered([]))
    await delivered.close(BlobAttributes("application/gzip"))
    await sidecars.close()
    readme = working.open("README.md")
    await readme.add(_card(order, chosen, verdicts.figures))
    for annotation, writer in annotations:
        for piece in annotation.end():
            await writer.add(piece)
    named = [("README.md", readme), *((annotation.name, writer) for annotation, writer in annotations)]
    files = await working.close(named)
    return Texts(delivered.blob, sidecars.blob, beside, files, verdicts.figures.counts)


async def _counting(records: RecordBlobs, newest: NDArray[np.int32]) -> AsyncIterator[list[Record]]:
    """Of each record blob the records that count: of a candidate's, that in the `newest` blob."""
    position = 0
    async for data in records.read():
        with reading(records.what(position)):
            counting = [record for record in decode_records(data) if newest[record.index] == position]
        yield counting
        position += 1


async def _write_sidecars(images: Sequence[Placed], sidecars: TextWriter, beside: NDArray[np.int64]) -> None:
    found: list[bytes] = []
    at = sidecars.size
    for image in images:
        beside[image.record.index] = at
        pair = sidecar(image.record, image.fields)
        found += pair
        at += len(pair[0]) + len(pair[1])
    await sidecars.add(b"".join(found))


def _card(order: ArchiveOrder, chosen: Chosen, figures: Figures) -> bytes:
    packing = FORMATS[order.output.format].packing(order, list(figures.splits))
    checksum = checksum_of(chosen.columns.sha256[chosen.selection.rows])
    return card(order, packing, figures, chosen.columns.labels, checksum).encode("utf-8", "replace")
