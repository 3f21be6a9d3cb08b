"""Chooses images that stand for a dataset: some of each label, from all parts of the dataset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from shared.archiving.layout.contents import Contents, Images, Piece

PREVIEW: Final = "preview.jpg"
"""The name of the preview among the texts of a dataset."""

MOST_LABELS: Final = 16
"""How many labels a preview shows: those with the most images."""

COLUMNS: Final = 6
"""How many images a row of a preview has at most."""

# images that are this close are read by one call, with those between them
_CLOSE_BYTES = 512 << 10
# how many images on each side of the middle may be taken in place of it
_LOOKED_AT = 64

# the rows of images of each label, by the number of labels that are shown
_ROWS: Mapping[int, int] = {1: 4, 2: 3, 3: 2, 4: 2}


@dataclass(frozen=True, slots=True)
class Sample:
    """Some images of a label, in the dataset's order, and how many images the dataset has of it."""

    label: str
    image_count: int
    images: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Pictures:
    """What was made of images: the preview, and small JPEGs.

    `preview` is None if none of its images can be shown. The JPEG of an image is None if it is gone, broken or too
    large, or if no time was left for it.
    """

    preview: bytes | None
    small: Mapping[Piece, bytes | None]


class PreviewMaker(Protocol):
    """Makes previews and small images."""

    async def make(
        self, samples: Sequence[Sample], label_count: int, others: Sequence[Piece] = (), width: int = 0
    ) -> Pictures:
        """Makes a JPEG that shows the samples, and a JPEG of each of the others, in bounded time.

        `label_count` is the number of all labels that have images. The others are at most `width` pixels wide and high.
        Images that are near to each other in storage are read together.

        Raises:
            Retryable: storage did not answer.
        """
        ...


def choose_samples(
    images: Images, contents: Contents, labels: Sequence[str], near: Sequence[Piece] = ()
) -> Sequence[Sample]:
    """Chooses up to 24 images of each of the labels with the most images: one of each of the label's equal parts.

    It is the one in the middle of its part. If the part has images that storage reads together with one of `near`, it
    is the nearest to the middle of these, but none of `near` itself. The same dataset gives the same samples. Labels
    with the same number of images are in order of their numbers.
    """
    counts = np.bincount(images.label, minlength=len(labels))
    order = np.argsort(-counts, kind="stable")[:MOST_LABELS]
    shown = [int(label) for label in order if counts[label]]
    most = COLUMNS * _ROWS.get(len(shown), 1)
    neighbours = _Neighbours(images, contents, near)
    samples = list[Sample]()
    for label in shown:
        positions = np.flatnonzero(images.label == label)
        size = min(most, len(positions))
        bounds = np.arange(size + 1) * len(positions) // size
        chosen = [neighbours.pick(positions[start:end]) for start, end in pairwise(bounds.tolist())]
        pieces = [contents.image(images, position) for position in chosen]
        samples.append(Sample(labels[label], len(positions), pieces))
    return samples


class _Neighbours:
    """Finds images whose bytes are close to those of other images in storage."""

    def __init__(self, images: Images, contents: Contents, near: Sequence[Piece]) -> None:
        self._images = images
        numbers = {shard: number for number, shard in enumerate(contents.shards)}
        offsets: dict[int, list[int]] = {}
        for piece in near:
            offsets.setdefault(numbers[piece.blob], []).append(piece.offset)
        self._offsets = {shard: np.array(sorted(found), np.int64) for shard, found in offsets.items()}

    def pick(self, positions: NDArray[np.int64]) -> int:
        """Returns the middle one of the positions, or the nearest to it whose image is close to one of the others."""
        middle = len(positions) // 2
        looked_at = positions[max(0, middle - _LOOKED_AT) : middle + _LOOKED_AT]
        close = np.flatnonzero([self._is_close(position) for position in looked_at.tolist()])
        if not len(close):
            return int(positions[middle])
        distances = np.abs(close - (middle - max(0, middle - _LOOKED_AT)))
        return int(looked_at[close[np.argmin(distances)]])

    def _is_close(self, position: int) -> bool:
        offsets = self._offsets.get(int(self._images.shard[position]))
        if offsets is None:
            return False
        distances = np.abs(offsets - int(self._images.offset[position]))
        # the images themselves are rather bad examples
        return 0 < int(distances.min()) <= _CLOSE_BYTES


def count_labels(images: Images) -> int:
    """Returns how many labels have images."""
    return len(np.unique(images.label))
