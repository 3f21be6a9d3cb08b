"""Reads chosen records out of the records of a dataset."""

import asyncio
import zlib
from collections.abc import Sequence
from typing import Final

from pydantic_core import from_json

from shared.concurrency import process_concurrently
from shared.damage import reading
from shared.datasets.dataset import Dataset
from shared.images.dataset_images import DatasetImages
from shared.images.image import KeptImage
from shared.images.index.rows import Rows
from shared.jobs.ledger.record_pieces import Line, Place
from shared.storage.blobs import BlobStore

_READS: Final = 8
# zlib's wbits for a gzip member
_MEMBER: Final = 31


async def read_lines(blobs: BlobStore, dataset: Dataset, rows: Rows) -> Sequence[Line]:
    """Reads the records of these rows, in their order. Several records of one member are read at once.

    Raises:
        NotFound: the records are gone.
        Conflict: they are in the Archive tier.
        Damaged: they cannot be read.
    """
    members = {int(row["offset"]): int(row["size"]) for row in rows}
    wanted: dict[int, set[int]] = {offset: set() for offset in members}
    for row in rows:
        wanted[int(row["offset"])].add(int(row["line"]))
    lines: dict[tuple[int, int], Line] = {}

    def decode(offset: int, data: bytes) -> None:
        for number, text in enumerate(zlib.decompress(data, _MEMBER).splitlines()):
            if number in wanted[offset]:
                lines[offset, number] = from_json(text)

    async def read(offset: int) -> None:
        data = await blobs.get(dataset.records_blob, offset=offset, length=members[offset])
        with reading(f"the records of dataset {dataset.id}"):
            await asyncio.to_thread(decode, offset, data)

    await process_concurrently(members, read, _READS)
    with reading(f"the records of dataset {dataset.id}"):
        return [lines[int(row["offset"]), int(row["line"])] for row in rows]


def image_of(images: DatasetImages, dataset: Dataset, row: Rows, line: Line) -> KeptImage:
    """Returns the image of a row and its record.

    Raises:
        Damaged: the record does not say where the image is.
    """
    place = Place(int(row["line"]), revision=dataset.revision, offset=int(row["offset"]))
    return images.image(dataset, place, line)
