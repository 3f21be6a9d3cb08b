"""Writes all texts of a dataset, in a second pass over the job's records, row by row while the records are read."""

from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.archiving.formats.format import ArchiveFormat
from shared.archiving.formats.registry import format_of
from shared.archiving.layout.contents import TextFile
from shared.archiving.layout.names import EXTENSIONS
from shared.archiving.order import ArchiveOrder
from shared.archiving.planning.choose import Choice
from shared.archiving.planning.diff import DiffWriter
from shared.archiving.planning.embeddings import embedding_files, with_embedding_lines, with_embeddings
from shared.archiving.planning.final_records import FinalRecords
from shared.archiving.planning.pictures import Shown
from shared.archiving.planning.preview import PREVIEW
from shared.archiving.planning.text_writer import TextWriter, WorkingBlobs, close_records
from shared.archiving.report.page import REPORT, Report, report_page
from shared.archiving.selection.record_blobs import RecordBlobs
from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.card import Figures, card, checksum_of
from shared.archiving.texts.croissant import CROISSANT, Node, croissant, encode_croissant
from shared.archiving.texts.metadata import Placed
from shared.damage import reading
from shared.records.delivered import DIFF, RECORDS, FileChecksum, encode_delivered
from shared.records.records import Record, decode_records


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts that were written: the blob of the delivered records, and the dataset's text files.

    `description` is croissant.json without the files of images, or empty if it is one of the files. `counts` is the
    number of candidates by label and outcome, and `diff` counts the changes of a refresh.
    """

    records_blob: str
    files: tuple[TextFile, ...]
    description: Node
    counts: Mapping[str, Mapping[str, int]]
    diff: Mapping[str, int] | None = None


async def write_texts(
    order: ArchiveOrder,
    records: RecordBlobs,
    choice: Choice,
    working: WorkingBlobs,
    showing: Awaitable[Shown],
) -> Texts:
    """Writes the texts and the sidecars to working blobs, and the delivered records to their final blob.

    `showing` is awaited when all records have been read.

    Raises:
        Damaged: a record blob is gone or cannot be read.
    """
    form = format_of(order.output.format, order.optional_columns)
    final = FinalRecords(choice, form)
    annotations = _open_annotations(order, choice, form, working)
    delivered = TextWriter(working.blobs, f"{order.prefix}{RECORDS}")
    changes = TextWriter(working.blobs, f"{order.prefix}{DIFF}")
    diff = DiffWriter(changes, wanted=order.base_revision is not None)
    sidecars = TextWriter(working.blobs, choice.contents.sidecars)
    for annotation, writer in annotations:
        await writer.add(annotation.begin())
    async for batch in _newest(records, choice.columns.newest):
        lines, images = final.complete(batch)
        for annotation, writer in annotations:
            await writer.add(annotation.rows(images))
        if form.sidecar_count:
            await sidecars.add(_sidecars(images, form))
        await delivered.add(encode_delivered(lines))
        await diff.add(batch, lines)
    await close_records(delivered)
    await diff.close()
    await sidecars.close()
    description = _description(order, choice, final.figures, await _end(annotations))
    named: list[tuple[str, TextWriter]] = []
    for name, data in _whole_texts(order, choice, final.figures, await showing, description):
        named.append((name, working.open(name)))
        await named[-1][1].add(data)
    files = await working.close([*named, *((annotation.name, writer) for annotation, writer in annotations)])
    described = {} if form.description_inside else description
    return Texts(delivered.blob, files, described, final.figures.counts, diff.counts)


def _open_annotations(
    order: ArchiveOrder, choice: Choice, form: ArchiveFormat, working: WorkingBlobs
) -> Sequence[tuple[Annotation, TextWriter]]:
    """Returns the files with a row for each image, in the order of delivery, each with its writer."""
    annotations = form.annotations(order, list(choice.split_counts), choice.columns.labels)
    found = [*annotations, *embedding_files(choice, form)]
    return [(one, working.open(one.name, hashed=one.described)) for one in found]


async def _end(annotations: Sequence[tuple[Annotation, TextWriter]]) -> Mapping[str, FileChecksum]:
    """Writes the ends of the annotations; returns the checksums of those that croissant.json describes, by name."""
    for annotation, writer in annotations:
        for piece in annotation.end():
            await writer.add(piece)
    return {annotation.name: writer.checksum for annotation, writer in annotations if annotation.described}


def _whole_texts(
    order: ArchiveOrder, choice: Choice, figures: Figures, shown: Shown, description: Node
) -> Iterator[tuple[str, bytes]]:
    """Yields the names and the bytes of the texts that are made at once, when all records have been read."""
    yield "README.md", _card(order, choice, figures, has_preview=bool(shown.preview))
    if shown.preview:
        yield PREVIEW, shown.preview
    if shown.survey is not None:
        yield REPORT, report_page(Report(order, figures, shown.survey, shown.small))
    if format_of(order.output.format, order.optional_columns).description_inside:
        yield CROISSANT, encode_croissant(description)


async def _newest(records: RecordBlobs, newest: NDArray[np.int32]) -> AsyncIterator[list[Record]]:
    """Yields the records that count, by record blob: those of candidates whose `newest` record is in the blob."""
    position = 0
    async for data in records.read():
        with reading(records.name_for_people(position)):
            counting = [record for record in decode_records(data) if newest[record.index] == position]
        yield counting
        position += 1


def _sidecars(images: Sequence[Placed], form: ArchiveFormat) -> bytes:
    """Returns the sidecars of each image, one after the other, as `Images.sidecar_offset` expects them."""
    return b"".join(
        part for image in images for part in form.sidecars(image.record, image.fields, image.embedding)
    )


def _description(
    order: ArchiveOrder, choice: Choice, figures: Figures, tables: Mapping[str, FileChecksum]
) -> Node:
    extensions = [EXTENSIONS[number] for number in np.unique(choice.images.extension).tolist()]
    form = format_of(order.output.format, order.optional_columns)
    resources = form.resources(choice.files, list(figures.splits), extensions, tables)
    described = with_embeddings(resources, choice, form, tables)
    return croissant(order, figures, choice.columns.labels, described)


def _card(order: ArchiveOrder, choice: Choice, figures: Figures, *, has_preview: bool) -> bytes:
    form = format_of(order.output.format, order.optional_columns)
    packing = with_embedding_lines(form.packing(order, list(figures.splits)), choice, form)
    checksum = checksum_of(choice.columns.sha256[choice.selection.rows])
    text = card(order, packing, figures, choice.columns.labels, checksum, has_preview=has_preview)
    return text.encode("utf-8", "replace")
