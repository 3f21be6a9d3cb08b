"""All records of a job as columns, so that a million of them take some hundred bytes each and no objects."""

from array import array
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shared.archiving.annotations import sidecar
from shared.archiving.earlier import SHA256_BYTES
from shared.records import Kept, Record, decode_records
from shared.storage.blobs import BlobStore


@dataclass(slots=True)
class Columns:
    """The images that the crawl kept, by row, in order of index; `label` and `shard` are positions in their lists.

    `newest` is, by candidate index, the position of the record blob whose record counts. `json` and `text` are the
    sizes in bytes of what stands beside an image in a WebDataset shard.
    """

    index: NDArray[np.int64]
    label: NDArray[np.int32]
    shard: NDArray[np.int32]
    offset: NDArray[np.int64]
    size: NDArray[np.int64]
    crc32: NDArray[np.uint32]
    pixels: NDArray[np.int64]
    perceptual_hash: NDArray[np.uint64]
    sha256: NDArray[np.void]
    extension: NDArray[np.int8]
    json: NDArray[np.int32]
    text: NDArray[np.int32]
    newest: NDArray[np.int32]
    labels: tuple[str, ...]
    shards: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.index)


def file_name(index: int, extension: int) -> str:
    """The file name of an image: the candidate's index in the job, and the format's extension."""
    return f"{index:08}.{EXTENSIONS[extension]}"


EXTENSIONS = ("jpg", "png", "webp", "gif", "bmp", "tif", "avif", "bin")
_EXTENSION_OF = {
    "jpeg": "jpg",
    "png": "png",
    "webp": "webp",
    "gif": "gif",
    "bmp": "bmp",
    "tiff": "tif",
    "avif": "avif",
}
_CODES = {
    "index": "q",
    "blob": "i",
    "label": "i",
    "shard": "i",
    "offset": "q",
    "size": "q",
    "crc32": "I",
    "pixels": "q",
    "perceptual_hash": "Q",
    "extension": "b",
    "json": "i",
    "text": "i",
}


@dataclass(slots=True)
class _Builder:
    """Collects rows in compact arrays."""

    sidecars: bool
    numbers: dict[str, array[int]] = field(
        default_factory=lambda: {name: array(code) for name, code in _CODES.items()}
    )
    sha256: bytearray = field(default_factory=bytearray)
    newest: array[int] = field(default_factory=lambda: array("i"))
    labels: dict[str, int] = field(default_factory=dict)
    shards: dict[str, int] = field(default_factory=dict)

    def add(self, record: Record, blob: int) -> None:
        """Add a record of the record blob at this position."""
        missing = record.index + 1 - len(self.newest)
        if missing > 0:
            self.newest.frombytes(b"\xff" * missing * self.newest.itemsize)  # -1: no record
        self.newest[record.index] = blob
        if isinstance(record.outcome, Kept):
            self._add_kept(record, record.outcome, blob)

    def _add_kept(self, record: Record, kept: Kept, blob: int) -> None:
        facts, numbers = kept.facts, self.numbers
        extension = EXTENSIONS.index(_EXTENSION_OF.get(facts.format, "bin"))
        beside = sidecar(record, kept, file_name(record.index, extension)) if self.sidecars else (b"", b"")
        numbers["index"].append(record.index)
        numbers["blob"].append(blob)
        numbers["label"].append(self.labels.setdefault(record.candidate.label, len(self.labels)))
        numbers["shard"].append(self.shards.setdefault(kept.shard, len(self.shards)))
        numbers["offset"].append(kept.offset)
        numbers["size"].append(facts.size_bytes)
        numbers["crc32"].append(facts.crc32)
        numbers["pixels"].append(facts.width * facts.height)
        numbers["perceptual_hash"].append(int(facts.perceptual_hash, 16))
        numbers["extension"].append(extension)
        numbers["json"].append(len(beside[0]))
        numbers["text"].append(len(beside[1]))
        self.sha256 += bytes.fromhex(facts.sha256)

    def columns(self) -> Columns:
        """The rows that count, sorted by index; the builder is empty afterwards."""
        newest = np.frombuffer(self.newest, np.int32)
        index = np.frombuffer(self.numbers["index"], np.int64)
        blob = np.frombuffer(self.numbers.pop("blob"), np.int32)
        order = np.argsort(index, kind="stable")
        order = order[newest[index[order]] == blob[order]]
        del index, blob
        sorted_columns = {}
        for name in list(self.numbers):
            values = self.numbers.pop(name)
            sorted_columns[name] = np.frombuffer(values, values.typecode)[order]
        hashes = np.frombuffer(self.sha256, f"V{SHA256_BYTES}")[order]
        return Columns(
            **sorted_columns,
            sha256=hashes,
            newest=newest,
            labels=tuple(self.labels),
            shards=tuple(self.shards),
        )


async def read_columns(blobs: BlobStore, record_blobs: Sequence[str], *, sidecars: bool = False) -> Columns:
    """The kept images of all record blobs; with `sidecars`, also how large the text beside them will be."""
    builder = _Builder(sidecars)
    for position, name in enumerate(record_blobs):
        async for record in read_records(blobs, name):
            builder.add(record, position)
    return builder.columns()


async def read_records(blobs: BlobStore, name: str) -> AsyncIterator[Record]:
    """All records of one blob."""
    for record in decode_records(await blobs.get(name)):
        yield record
