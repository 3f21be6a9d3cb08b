"""Chooses the model whose embeddings a dataset delivers: vectors of different models cannot be compared."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.archiving.selection.columns import Columns


@dataclass(frozen=True, slots=True)
class EmbeddingTable:
    """The embeddings of a dataset. The model `scorer` made all of them, and each has as many numbers as `dimensions`.

    `delivered` has an entry for each row of the columns: whether the row's embedding is one of them. `missing` counts
    the dataset's images that have none.
    """

    scorer: str
    dimensions: int
    delivered: NDArray[np.bool]
    missing: int


def choose_embeddings(columns: Columns, rows: NDArray[np.int64]) -> EmbeddingTable | None:
    """Returns the embeddings of the images in these rows by the model that most of them have; None if none has any.

    After a refresh, or a change of the model while a job runs, some images may have embeddings by another model. Of
    two models with as many images, the one whose name comes first is chosen.
    """
    kind_of, kinds = columns.embedding_kind, columns.embedding_kinds
    if kind_of is None:
        return None
    found = kind_of[rows]
    counts = np.bincount(found[found >= 0], minlength=len(kinds)).tolist()
    if not any(counts):
        return None
    best = min(range(len(kinds)), key=lambda number: (-counts[number], kinds[number]))
    scorer, dimensions = kinds[best]
    return EmbeddingTable(scorer, dimensions, kind_of == best, missing=len(rows) - counts[best])
