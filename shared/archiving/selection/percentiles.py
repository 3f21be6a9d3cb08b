"""Finds the images of each label whose scores are among the lowest or highest, by percentiles.

Of n images of a label, a percentile drops at most its share, rounded down. Equal scores are never divided: all of them
are dropped, or none. So a label with few images, or with one score only, may lose none, and no label loses all. The
scores are sorted as a whole: a million images take some 30 MB for that. An image whose score was not measured is not
counted, and not dropped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from shared.archiving.selection.columns import Columns
from shared.archiving.selection.near import Positions
from shared.records.scores import SCORES, ScoreName, ScoreRange, ScoreRanges

type _Bounds = NDArray[np.float32]
"""One value per label."""


@dataclass(frozen=True, slots=True)
class ScoreBounds:
    """The lowest and the highest score that each label keeps, for each of the `ranges` that have percentiles."""

    ranges: ScoreRanges = field(default_factory=dict)
    lowest: Mapping[ScoreName, _Bounds] = field(default_factory=dict)
    highest: Mapping[ScoreName, _Bounds] = field(default_factory=dict)

    def outside(self, columns: Columns, rows: Positions) -> Positions:
        """Returns those of the rows that have a score outside of the bounds of their label."""
        dropped = np.zeros(len(rows), np.bool)
        for name in self.ranges:
            scores, labels = columns.scores[rows, SCORES.index(name)], columns.label[rows]
            dropped |= (scores < self.lowest[name][labels]) | (scores > self.highest[name][labels])
        found: Positions = rows[dropped]
        return found

    def explain(self, columns: Columns, row: int) -> str:
        """Returns a line about the first score of a row that is outside of the bounds; empty if none is."""
        label = columns.label[row]
        for name, limits in self.ranges.items():
            score = columns.scores[row, SCORES.index(name)]
            low, high = self.lowest[name][label], self.highest[name][label]
            if score < low:
                return f"{name} {score:g} is below {low:g}, percentile {limits.min_percentile:g} of the label"
            if score > high:
                return (
                    f"{name} {score:g} is above {high:g}, percentile {limits.max_percentile:g} of the label"
                )
        return ""


def score_bounds(columns: Columns, rows: Positions, ranges: ScoreRanges) -> ScoreBounds:
    """Returns the bounds that follow from the scores of these rows."""
    wanted = {name: limits for name, limits in ranges.items() if limits.has_percentile}
    lowest: dict[ScoreName, _Bounds] = {}
    highest: dict[ScoreName, _Bounds] = {}
    for name, limits in wanted.items():
        scores = columns.scores[rows, SCORES.index(name)]
        measured = ~np.isnan(scores)
        scores, labels = scores[measured], columns.label[rows[measured]]
        counts = np.bincount(labels, minlength=len(columns.labels))
        starts = np.cumsum(counts) - counts
        scores = scores[np.lexsort((scores, labels))]
        below, above = _dropped(counts.tolist(), limits)
        lowest[name] = _at(scores, starts + below, (counts > 0) & (below > 0), -np.inf)
        highest[name] = _at(scores, starts + counts - 1 - above, (counts > 0) & (above > 0), np.inf)
    return ScoreBounds(wanted, lowest, highest)


def _dropped(counts: Sequence[int], limits: ScoreRange) -> tuple[Positions, Positions]:
    """Returns how many images of each label are dropped at most at the lower and at the upper end."""
    # fractions of decimal numbers, because 0.1 * 3 is more than 0.3 in binary
    below = Fraction(repr(limits.min_percentile or 0))
    above = 100 - Fraction(repr(100 if limits.max_percentile is None else limits.max_percentile))
    return (
        np.array([int(below * count / 100) for count in counts], np.int64),
        np.array([int(above * count / 100) for count in counts], np.int64),
    )


def _at(scores: _Bounds, places: Positions, bounded: NDArray[np.bool], otherwise: float) -> _Bounds:
    """Returns the score at the place of each label that is bounded."""
    found = np.full(len(places), otherwise, np.float32)
    found[bounded] = scores[places[bounded]]
    return found
