"""Surveys the images of a dataset for its report: how their scores are distributed, and which are the worst.

The cost grows with the number of images only, and a million takes about a second.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.archiving.layout.contents import Piece
from shared.archiving.report.scales import SCALES
from shared.archiving.selection.columns import Columns
from shared.archiving.selection.near import Positions
from shared.archiving.selection.outliers import MARKS, names_of
from shared.archiving.selection.select import Selection
from shared.records.scores import RELEVANCE, SCORES, ScoreName

MOST_SHOWN: Final = 10
"""How many images a gallery has at most."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """An image in the report. `value` says in a few words why it is there."""

    piece: Piece
    label: str
    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """Some images with something in common, the worst first. If it is `labelled`, their labels are shown."""

    title: str
    exhibits: Sequence[Exhibit]
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class ScoreSurvey:
    """The distribution of one score over the images that have it.

    `counts` are the images in each bar of its histogram.
    """

    name: ScoreName
    counts: Sequence[int]
    percentile_5: float
    median: float
    percentile_95: float
    galleries: Sequence[Gallery]


@dataclass(frozen=True, slots=True)
class Survey:
    """What the report shows of the images.

    A score that no image has is not among `scores`. `most_copied` and `outliers` may have no images.
    """

    scores: Sequence[ScoreSurvey]
    most_copied: Gallery
    outliers: Gallery
    outlier_count: int

    @property
    def pieces(self) -> Sequence[Piece]:
        """All images that are shown, without repetitions."""
        of_scores = (gallery for score in self.scores for gallery in score.galleries)
        galleries = [*of_scores, self.most_copied, self.outliers]
        return list(dict.fromkeys(exhibit.piece for gallery in galleries for exhibit in gallery.exhibits))


def survey(
    columns: Columns, selection: Selection, outliers: NDArray[np.float32], path_of: Callable[[int], str]
) -> Survey:
    """Surveys the selected images, of which there is at least one. `path_of` returns the path of a row's image.

    Of images with the same score, the first ones are shown.
    """
    rows = selection.rows
    show = _Exhibitor(columns, path_of).show
    copied = [
        show(row, f"{count:,} {'copy' if count == 1 else 'copies'}")
        for row, count in _copied(columns, selection)
    ]
    highest = outliers[rows].max(axis=1)
    marks = names_of(outliers[rows])
    far = [
        show(int(rows[at]), f"{MARKS[marks[at]]} {highest[at]:.1f}")
        for at in _lowest(-highest)
        if highest[at]
    ]
    return Survey(
        list(_score_surveys(columns, rows, show)),
        Gallery("The most copied", copied),
        Gallery("The farthest", far, labelled=True),
        int(np.count_nonzero(marks)),
    )


def _score_surveys(
    columns: Columns, rows: Positions, show: Callable[[int, str], Exhibit]
) -> Iterator[ScoreSurvey]:
    """Surveys each score that at least one of the rows has."""
    for name, scale in SCALES.items():
        having = rows[~np.isnan(columns.scores[rows, SCORES.index(name)])]
        if not len(having):
            continue
        values = columns.scores[having, SCORES.index(name)]
        counts, _ = np.histogram(np.clip(values, scale.low, scale.high), np.array(scale.edges))
        galleries = [
            Gallery(
                title,
                [show(int(having[at]), number(float(values[at]))) for at in _lowest(values * sign)],
                # the label is what such a picture does not show
                labelled=name == RELEVANCE,
            )
            for title, sign in ((scale.lowest, 1), (scale.highest, -1))
            if title
        ]
        low, middle, high = (float(value) for value in np.percentile(values, (5, 50, 95), method="nearest"))
        yield ScoreSurvey(name, counts.tolist(), low, middle, high, galleries)


def number(value: float) -> str:
    """Returns a score in a few digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class _Exhibitor:
    columns: Columns
    path_of: Callable[[int], str]

    def show(self, row: int, value: str) -> Exhibit:
        columns = self.columns
        piece = Piece(
            columns.shards[int(columns.shard[row])],
            int(columns.offset[row]),
            int(columns.size[row]),
            int(columns.crc32[row]),
        )
        return Exhibit(piece, columns.labels[int(columns.label[row])], self.path_of(row), value)


def _lowest(values: NDArray[Any], most: int = MOST_SHOWN) -> Positions:
    """Returns the positions of the lowest values, in order. Of equal values, the first ones come first."""
    count = min(most, len(values))
    limit = np.partition(values, count - 1)[count - 1]
    found = np.flatnonzero(values <= limit)
    return found[np.argsort(values[found], kind="stable")][:count]


def _copied(columns: Columns, selection: Selection) -> Iterator[tuple[int, int]]:
    """Yields the selected rows of which most copies were left out, and how many."""
    original = np.where(selection.twin < 0, np.arange(len(selection.twin)), selection.twin)
    while not np.array_equal(further := original[original], original):
        original = further
    copies = np.bincount(original, minlength=len(original)) - 1
    copies += np.bincount(original[_images_of_known_copies(columns)], minlength=len(original))
    rows = selection.rows
    copies = copies[rows]
    for at in _lowest(-copies).tolist():
        if copies[at] > 0:
            yield int(rows[at]), int(copies[at])


def _images_of_known_copies(columns: Columns) -> Positions:
    """Returns for each known copy the row of its image. Copies whose image is gone are left out."""
    known = columns.known_copies[np.argsort(columns.known_copies[:, 0])]
    copy, image = known[:, 0], known[:, 1]
    # each step doubles how far a copy of a copy is followed; damaged records may name each other
    for _ in range(len(copy).bit_length()):
        place = np.minimum(np.searchsorted(copy, image), len(copy) - 1)
        image = np.where(copy[place] == image, image[place], image)
    row: Positions = np.minimum(np.searchsorted(columns.index, image), len(columns) - 1)
    found: Positions = row[columns.index[row] == image]
    return found
