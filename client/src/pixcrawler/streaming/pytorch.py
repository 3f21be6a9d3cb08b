"""A streamed dataset as an iterable dataset of PyTorch. Importing this module imports `torch`."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from torch.utils.data import IterableDataset, get_worker_info

if TYPE_CHECKING:
    from pixcrawler.streaming.dataset import Image, StreamedDataset

R = TypeVar("R")


class TorchDataset(IterableDataset, Generic[R]):  # type: ignore[misc] # torch is not installed where types are checked
    """The images of a dataset for a `DataLoader`, each of whose workers reads a part of its own.

    A worker that stays (`persistent_workers`) gives each epoch another order by itself. New workers begin with the
    epoch of the dataset in the main process: call `set_epoch` there before each epoch.
    """

    def __init__(self, dataset: "StreamedDataset", transform: "Callable[[Image], R] | None" = None) -> None:
        super().__init__()
        self._dataset = dataset
        self._transform = transform
        self._part: tuple[tuple[int, int], StreamedDataset] | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the whole dataset."""
        return self._dataset.labels

    def __len__(self) -> int:
        return len(self._dataset)

    def __iter__(self) -> "Iterator[R | Image]":
        for image in self._mine():
            yield image if self._transform is None else self._transform(image)

    def set_epoch(self, epoch: int) -> None:
        """Begins the epoch with this number, which has an order of its own if there is a `shuffle_seed`."""
        self._dataset.set_epoch(epoch)

    def state_dict(self) -> dict[str, Any]:
        """Returns where the iteration of this process is."""
        return self._mine().state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state_dict` says. A `DataLoader` needs the same number of workers as before.

        Raises:
            WrongUse: the state is that of another dataset, of other options, or of another number of workers.
        """
        self._mine().load_state_dict(state)

    def _mine(self) -> "StreamedDataset":
        """Returns the part of this worker, or the whole dataset outside of workers."""
        worker = get_worker_info()
        if worker is None:
            return self._dataset
        # a worker that was forked has what its parent has made
        if self._part is None or self._part[0] != (worker.id, worker.num_workers):
            part = self._dataset.part(worker.id, worker.num_workers)
            self._part = (worker.id, worker.num_workers), part
        return self._part[1]
