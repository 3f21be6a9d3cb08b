"""Reads the images of earlier datasets into columns. A dataset that is deduplicated against them leaves them out."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.archiving.order import EarlierDataset
from shared.damage import reading
from shared.errors import NotFound, Permanent
from shared.records.delivered import SHA256_BYTES, read_delivered
from shared.storage.blobs import BlobStore

NO_HASH = "0"
"""Replaces the perceptual hash of a flat picture, which has none. As a number it is `near.FLAT`."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The images of earlier datasets, in their order. Each field but `datasets` is an array with one value per image.

    `dataset` is a position in `datasets`, which are ids. `index` is that of the image's record in its dataset.
    """

    datasets: tuple[str, ...]
    dataset: NDArray[np.int32]
    index: NDArray[np.int64]
    perceptual_hash: NDArray[np.uint64]
    sha256: NDArray[np.void]

    def __len__(self) -> int:
        return len(self.index)


async def read_earlier(blobs: BlobStore, datasets: Sequence[EarlierDataset]) -> Earlier:
    """Reads the images of these datasets.

    Raises:
        Permanent: the records of a dataset are gone or damaged.
    """
    dataset, index, perceptual_hash, sha256 = array("i"), array("q"), array("Q"), bytearray()
    for number, earlier in enumerate(datasets):
        try:
            async for row in read_delivered(blobs.stream(earlier.records_blob), earlier.id):
                if row.kept:
                    with reading(f"the records of dataset {earlier.id}"):
                        dataset.append(number)
                        index.append(row.index)
                        perceptual_hash.append(int(row.perceptual_hash or NO_HASH, 16))
                        sha256 += _sha256(row.sha256)
        except NotFound:
            raise Permanent(f"The records of dataset {earlier.id} are gone.") from None
    return Earlier(
        tuple(earlier.id for earlier in datasets),
        np.frombuffer(dataset, np.int32),
        np.frombuffer(index, np.int64),
        np.frombuffer(perceptual_hash, np.uint64),
        np.frombuffer(bytes(sha256), f"V{SHA256_BYTES}"),
    )


def _sha256(text: str) -> bytes:
    digest = bytes.fromhex(text)
    if len(digest) != SHA256_BYTES:
        raise ValueError("not a SHA-256")
    return digest


NOTHING_EARLIER = Earlier(
    (),
    np.empty(0, np.int32),
    np.empty(0, np.int64),
    np.empty(0, np.uint64),
    np.empty(0, f"V{SHA256_BYTES}"),
)
