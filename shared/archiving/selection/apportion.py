"""How many images of each label each split gets: whole numbers as near as possible to the exact shares.

All tables have a row for each label and a column for each split. Statistics calls this controlled rounding: a table is
rounded so that the sums of its rows and of its columns are rounded, too.
"""

from collections.abc import Sequence
from itertools import pairwise, permutations

import numpy as np
from numpy.typing import NDArray

# much less than one image, and much more than the errors of floating-point arithmetic
_TOLERANCE = 1e-6

type Counts = NDArray[np.int64]
type Exact = NDArray[np.float64]


def apportion(exact: Exact, in_groups: Counts, singles: Counts) -> Counts:
    """Rounds the exact shares to whole images.

    Args:
        exact: The exact shares; each row's sum is the number of the label's images.
        in_groups: How many images the splits have already, because groups of near-duplicates were placed.
        singles: For each label, how many other images it has. These are what can be shared out.

    Returns:
        The images that each split gets of each label, those `in_groups` included. Without groups, each number is less
        than one image away from its exact share, and each split's sum is its exact sum by largest remainder.

    An example: three labels have five images each, and the splits get 80 %, 10 % and 10 %. The exact shares of each
    label are 4, ½ and ½. If each label were rounded on its own, each would give 4, 1 and 0 images, and the third split
    would get none. Over all labels, the exact shares are 12, 1½ and 1½; by largest remainder that is 12, 2 and 1. So
    one label gives an image to the third split in place of the second:

    >>> fives = np.array([5, 5, 5])
    >>> apportion(np.outer(fives, [0.8, 0.1, 0.1]), np.zeros((3, 3), np.int64), fives).tolist()
    [[4, 0, 1], [4, 1, 0], [4, 1, 0]]
    """
    counts = in_groups + _rounded(_shared_out(exact - in_groups, singles), singles)
    return _balanced(counts, in_groups, exact)


def _shared_out(lacks: Exact, singles: Counts) -> Exact:
    """Shares each label's single images out among the splits, in proportion to what they lack of the label."""
    lacks = np.maximum(lacks, 0)
    return lacks * (singles / np.maximum(lacks.sum(axis=-1), 1))[..., np.newaxis]


def _rounded(exact: Exact, totals: Counts) -> Counts:
    """Rounds so that each row's sum is its total: the largest remainders are rounded up, of equal ones the first."""
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(whole - exact, axis=-1, kind="stable")
    rank = np.argsort(order, axis=-1)
    return whole + (rank < (totals - whole.sum(axis=-1))[..., np.newaxis])


def _balanced(counts: Counts, in_groups: Counts, exact: Exact) -> Counts:
    """Exchanges single images between splits, label by label, until the sums over all labels are right.

    A label takes an image only from a split that has its share of the label, and gives it only to a split that has no
    more than its share. So each number stays within one image of its exact share. If no label can exchange between two
    splits, two labels can by way of a third split. Without groups this always ends with the right sums: a table whose
    rows have whole sums can be rounded that way (M. Bacharach, "Matrix Rounding Problems", 1966), and such exchanges
    lead there from any other rounding.
    """
    splits = counts.shape[1]
    targets = _rounded(exact.sum(axis=0), np.array(counts.sum()))
    paths = [path for length in (2, 3) for path in permutations(range(splits), length)]

    def exchanged(counts: Counts) -> Counts | None:
        tables = (_exchange(counts, in_groups, exact, targets, path) for path in paths)
        return next((table for table in tables if table is not None), None)

    while (better := exchanged(counts)) is not None:
        counts = better
    return counts


def _exchange(
    counts: Counts, in_groups: Counts, exact: Exact, targets: Counts, path: Sequence[int]
) -> Counts | None:
    """Moves images along a path of splits, from the first, which has too many, to the last, which has too few.

    The labels that gain most by it are taken first. None if there is nothing to move.
    """
    lacking = targets - counts.sum(axis=0)
    wanted = min(-lacking[path[0]], lacking[path[-1]])
    if wanted <= 0:
        return None
    surplus = counts - exact
    steps: list[tuple[int, int, Counts]] = []
    for source, target in pairwise(path):
        allowed = (surplus[:, source] > -_TOLERANCE) & (surplus[:, target] < _TOLERANCE)
        labels = np.flatnonzero(allowed & (counts[:, source] > in_groups[:, source]))
        gain = np.round(surplus[labels, source] - surplus[labels, target], 6)
        steps.append((source, target, labels[np.argsort(-gain, kind="stable")]))
    number = min(wanted, *(len(labels) for _, _, labels in steps))
    if not number:
        return None
    moved = counts.copy()
    for source, target, labels in steps:
        moved[labels[:number], source] -= 1
        moved[labels[:number], target] += 1
    return moved
