"""Chooses images that stand for a dataset: some of each label, from all parts of the dataset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from shared.archiving.layout.contents import Contents, Images, Piece

PREVIEW: Final = "preview.jpg"
"""The name of the preview among the texts of a dataset."""

MOST_LABELS: Final = 16
"""How many labels a preview shows: those with the most images."""

COLUMNS: Final = 6
"""How many images a row of a preview has at most."""

# the rows of images of each label, by the number of labels that are shown
_ROWS: Mapping[int, int] = {1: 4, 2: 3, 3: 2, 4: 2}


@dataclass(frozen=True, slots=True)
class Sample:
    """Some images of a label, in the dataset's order, and how many images the dataset has of it."""

    label: str
    image_count: int
    images: Sequence[Piece]


class PreviewMaker(Protocol):
    """Makes previews and small images."""

    async def make(self, samples: Sequence[Sample], label_count: int) -> bytes | None:
        """Returns a JPEG that shows the samples, in bounded time, or None if it can show none of the images.

        `label_count` is the number of all labels that have images.

        Raises:
            Retryable: storage did not answer.
        """
        ...

    async def small(self, images: Sequence[Piece], width: int) -> Mapping[Piece, bytes | None]:
        """Returns a JPEG of each image, at most `width` pixels wide and high, in bounded time.

        It is None for an image that is gone, broken or too large, or for which no time was left.

        Raises:
            Retryable: storage did not answer.
        """
        ...


def choose_samples(images: Images, contents: Contents, labels: Sequence[str]) -> Sequence[Sample]:
    """Chooses up to 24 images of each of the labels with the most images: from the middle of equal parts of the label.

    The same dataset gives the same samples. Labels with the same number of images are in order of their numbers.
    """
    counts = np.bincount(images.label, minlength=len(labels))
    order = np.argsort(-counts, kind="stable")[:MOST_LABELS]
    shown = [int(label) for label in order if counts[label]]
    most = COLUMNS * _ROWS.get(len(shown), 1)
    samples = list[Sample]()
    for label in shown:
        positions = np.flatnonzero(images.label == label)
        size = min(most, len(positions))
        chosen = positions[(2 * np.arange(size) + 1) * len(positions) // (2 * size)]
        pieces = [contents.image(images, int(position)) for position in chosen]
        samples.append(Sample(labels[label], len(positions), pieces))
    return samples


def count_labels(images: Images) -> int:
    """Returns how many labels have images."""
    return len(np.unique(images.label))
