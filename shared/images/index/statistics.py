"""Counts the images of a dataset by size, sharpness and brightness, and by licence, source, label and split.

The numbers are computed when the index of the dataset is complete, and stored once for each revision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from shared.damage import reading
from shared.errors import NotFound
from shared.images.index.indexes import Indexes
from shared.images.index.rows import Index
from shared.images.index.sorting import values_of

MOST_VALUES: Final = 100
"""How many different licences and sources the numbers name."""

MOST_LABELS: Final = 1000
"""How many labels the numbers name."""

# preferred numbers: ISO 3, series R10, rounded as its series R''10 is
_STEPS = (1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.3, 8)
_EDGES: Final[Mapping[str, Sequence[float]]] = {
    "pixels": (0, *(round(step * 10**power) for power in range(3, 9) for step in _STEPS), 10**9),
    "sharpness": (0, *(round(step * 10**power, 2) for power in range(6) for step in _STEPS), 10**6),
    "brightness": tuple(round(step / 20, 2) for step in range(21)),
}


@dataclass(frozen=True, slots=True)
class Histogram:
    """The numbers of images between neighbouring edges, so there is one edge more. Each range begins with its edge.

    Ranges before the first image and after the last one are left out. The first and the last range of all also have
    the images that lie outside the edges.
    """

    edges: Sequence[float] = ()
    counts: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Statistics:
    """The numbers of a dataset's images. `progress` is the share of the records that was read.

    There are no numbers before all records are read. `labels` has the images of each label by split, which is empty
    for images without a split.
    """

    progress: float = 1.0
    images: int = 0
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    licenses: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


_adapter = TypeAdapter(Statistics)


@dataclass(frozen=True, slots=True)
class DatasetStatistics:
    """The numbers of all datasets."""

    indexes: Indexes

    async def read(self, user_id: str, dataset_id: str) -> Statistics:
        """Returns the numbers of a dataset. The first calls make its index, as long as time allows.

        Raises:
            NotFound: this user has no such dataset, or its records are gone.
            Conflict: the dataset has too many images, or the records are in the Archive tier.
            Damaged: the records, the index or the stored numbers cannot be read.
        """
        dataset = await self.indexes.dataset(user_id, dataset_id)
        name = f"{self.indexes.images.folder(dataset).prefix}statistics.json"
        try:
            stored = await self.indexes.blobs.get(name)
        except NotFound:
            pass
        else:
            with reading(f"the statistics of dataset {dataset_id}"):
                return _adapter.validate_json(stored)
        indexed = await self.indexes.get(dataset)
        index = indexed.index
        if index is None:
            return Statistics(indexed.progress)
        found = await self.indexes.compute(dataset, lambda: statistics_of(index))
        await self.indexes.store(dataset, name, _adapter.dump_json(found))
        return found


def statistics_of(index: Index) -> Statistics:
    """Returns the numbers of all images of an index. It takes about half a second for a million images."""
    counts, labels = index.counts.most_frequent(MOST_VALUES), index.counts.most_frequent(MOST_LABELS).labels
    histograms = {name: histogram(values_of(index.images, name), edges) for name, edges in _EDGES.items()}
    return Statistics(
        images=len(index.images),
        histograms=histograms,
        licenses=counts.licenses,
        sources=counts.sources,
        labels=labels,
    )


def histogram(values: NDArray[Any], edges: Sequence[float]) -> Histogram:
    """Counts values between edges, in the precision of the values."""
    inner = np.array(edges[1:-1], values.dtype)
    # a value that is no number counts as one above all edges
    counts = np.bincount(np.searchsorted(inner, values, side="right"), minlength=len(edges) - 1)
    filled = np.flatnonzero(counts)
    if not len(filled):
        return Histogram()
    first, last = int(filled[0]), int(filled[-1])
    return Histogram(list(edges[first : last + 2]), counts[first : last + 1].tolist())
