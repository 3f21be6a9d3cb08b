"""All records of a job as columns, so that a million of them take some hundred bytes each and no objects."""

from array import array
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shared.records import Kept, Record, decode_records
from shared.storage.blobs import BlobStore

SHA256_BYTES = 32


@dataclass(slots=True)
class Columns:
    """The images that the crawl kept, by row, in order of index; `label` and `shard` are positions in their lists.

    `newest` says for each index of all records, kept or not, which of the record blobs holds the one that counts: a
    candidate that was tried again has one in a later blob.
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
    labels: tuple[str, ...]
    shards: tuple[str, ...]
    newest: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.index)


@dataclass(slots=True)
class _Builder:
    """Collects rows in compact arrays."""

    numbers: dict[str, array[int]] = field(
        default_factory=lambda: {
            name: array(code)
            for name, code in (
                ("index", "q"),
                ("label", "i"),
                ("shard", "i"),
                ("offset", "q"),
                ("size", "q"),
                ("crc32", "Q"),
                ("pixels", "q"),
                ("perceptual_hash", "Q"),
                ("extension", "b"),
            )
        }
    )
    sha256: bytearray = field(default_factory=bytearray)
    labels: dict[str, int] = field(default_factory=dict)
    shards: dict[str, int] = field(default_factory=dict)
    newest: array[int] = field(default_factory=lambda: array("i"))

    def see(self, index: int, blob: int) -> None:
        """Note that the blob of this number has a record of the index."""
        self.newest.extend([-1] * (index + 1 - len(self.newest)))
        self.newest[index] = blob

    def add(self, record: Record, kept: Kept) -> None:
        """Add a kept image."""
        facts = kept.facts
        row = {
            "index": record.index,
            "label": self.labels.setdefault(record.candidate.label, len(self.labels)),
            "shard": self.shards.setdefault(kept.shard, len(self.shards)),
            "offset": kept.offset,
            "size": facts.size_bytes,
            "crc32": facts.crc32,
            "pixels": facts.width * facts.height,
            "perceptual_hash": int(facts.perceptual_hash, 16),
            "extension": EXTENSIONS.index(_EXTENSION_OF.get(facts.format, "bin")),
        }
        for name, value in row.items():
            self.numbers[name].append(value)
        self.sha256 += bytes.fromhex(facts.sha256)

    def columns(self) -> Columns:
        """The rows so far, sorted by index."""
        found = {name: np.frombuffer(values, _dtype(values)) for name, values in self.numbers.items()}
        hashes = np.frombuffer(bytes(self.sha256), f"V{SHA256_BYTES}")
        order = np.argsort(found["index"], kind="stable")
        return Columns(
            index=found["index"][order],
            label=found["label"][order],
            shard=found["shard"][order],
            offset=found["offset"][order],
            size=found["size"][order],
            crc32=found["crc32"][order].astype(np.uint32),
            pixels=found["pixels"][order],
            perceptual_hash=found["perceptual_hash"][order],
            sha256=hashes[order],
            extension=found["extension"][order],
            labels=tuple(self.labels),
            shards=tuple(self.shards),
            newest=np.frombuffer(self.newest, "<i4"),
        )


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


async def read_columns(blobs: BlobStore, record_blobs: Sequence[str]) -> Columns:
    """The kept images of all record blobs; of a candidate's records, all but the newest are failures."""
    builder = _Builder()
    for number, name in enumerate(record_blobs):
        async for record in read_records(blobs, [name]):
            builder.see(record.index, number)
            if isinstance(record.outcome, Kept):
                builder.add(record, record.outcome)
    return builder.columns()


async def read_records(blobs: BlobStore, record_blobs: Sequence[str]) -> AsyncIterator[Record]:
    """All records, one blob in memory at a time."""
    for name in record_blobs:
        for record in decode_records(await blobs.get(name)):
            yield record


def _dtype(values: array[int]) -> str:
    return {"q": "<i8", "i": "<i4", "Q": "<u8", "b": "i1"}[values.typecode]
