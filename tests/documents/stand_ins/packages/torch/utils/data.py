"""Stands in for `torch.utils.data`, as PyTorch is very large. It has what the documents use, and works in one process.

Source: https://pytorch.org/docs/stable/data.html.
"""

import copy
from collections.abc import Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np

_worker: SimpleNamespace | None = None


class IterableDataset:
    """A dataset that is iterated over."""


def get_worker_info() -> SimpleNamespace | None:
    """Returns the number of this worker and of all, or None outside of workers."""
    return _worker


class DataLoader:
    """Yields batches. Each worker iterates over a copy of the dataset, one after the other."""

    def __init__(self, dataset: Any, batch_size: int, num_workers: int = 0) -> None:
        self._dataset = dataset
        self._batch_size = batch_size
        self._workers = num_workers

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        global _worker  # noqa: PLW0603 - as PyTorch does in a worker process
        for number in range(max(1, self._workers)):
            _worker = SimpleNamespace(id=number, num_workers=self._workers) if self._workers else None
            examples = iter(copy.deepcopy(self._dataset))
            while batch := list(islice(examples, self._batch_size)):
                yield tuple(np.stack(values) for values in zip(*batch, strict=True))
        _worker = None
