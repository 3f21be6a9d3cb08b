"""The protocol of PyTorch's iterable datasets, with a stand-in for the library, which is very large."""

import json
import pickle
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from pixcrawler import WrongUse
from tests.client.streaming.served import COUNT, names

EVERY_NAME = sorted(f"{number}.jpg" for number in range(COUNT))


class _IterableDataset:
    """What `torch.utils.data.IterableDataset` is to a subclass."""


class Torch(ModuleType):
    """The part of `torch.utils.data` that the client uses. `worker` is what a worker process would see."""

    IterableDataset = _IterableDataset

    def __init__(self) -> None:
        super().__init__("torch.utils.data")
        self.worker: SimpleNamespace | None = None

    def get_worker_info(self) -> SimpleNamespace | None:
        return self.worker


@pytest.fixture
def torch(monkeypatch):
    made = Torch()
    for name in ("torch", "torch.utils"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "torch.utils.data", made)
    yield made
    sys.modules.pop("pixcrawler.streaming.pytorch", None)


def file_of(image):
    return image.file


@pytest.fixture
def dataset(client, stored):
    assert stored.content
    return client.load_dataset("a1", shuffle_seed=1, buffer_blocks=2)


def test_each_worker_reads_a_part_of_its_own(dataset, torch):
    given: Any = dataset.as_torch(file_of)
    assert _IterableDataset in type(given).__mro__
    assert (len(given), given.labels) == (COUNT, ("cat", "dog"))
    found = []
    for number in range(3):
        torch.worker = SimpleNamespace(id=number, num_workers=3)
        # a worker has a copy, as after a fork
        copy = pickle.loads(pickle.dumps(given))  # noqa: S301 - our own bytes
        found += list(copy)
    assert sorted(found) == EVERY_NAME


def test_outside_of_workers_all_images_are_yielded(dataset, torch):
    assert torch.worker is None
    assert sorted(image.file for image in dataset.as_torch()) == EVERY_NAME


def test_new_workers_have_the_order_of_the_epoch(dataset, torch):
    torch.worker = SimpleNamespace(id=0, num_workers=2)
    given = dataset.as_torch(file_of)

    def of_a_new_worker(epoch: int) -> list[str]:
        given.set_epoch(epoch)
        copy = pickle.loads(pickle.dumps(given))  # noqa: S301 - our own bytes
        return list(copy)

    first, second = of_a_new_worker(0), of_a_new_worker(1)
    assert sorted(first) == sorted(second)
    assert first != second
    assert of_a_new_worker(0) == first
    # a worker that stays goes on by itself
    staying = pickle.loads(pickle.dumps(given))  # noqa: S301 - our own bytes
    assert [list(staying), list(staying)] == [first, second]


def test_a_worker_goes_on_where_its_state_says(dataset, torch):
    torch.worker = SimpleNamespace(id=1, num_workers=2)
    whole = list(dataset.as_torch(file_of))
    left = dataset.as_torch(file_of)
    begun = [name for name, _ in zip(left, range(20), strict=False)]
    state = json.loads(json.dumps(left.state_dict()))
    # the loader may ask for the iterator before it loads the state
    resumed = dataset.as_torch(file_of)
    iteration = iter(resumed)
    resumed.load_state_dict(state)
    rest = list(iteration)
    assert begun + whole[20 : state["position"]] + rest == whole
    torch.worker = SimpleNamespace(id=1, num_workers=3)
    with pytest.raises(WrongUse):
        dataset.as_torch(file_of).load_state_dict(state)


def test_several_computers_share_a_dataset(dataset, torch):
    torch.worker = SimpleNamespace(id=0, num_workers=1)
    found = [name for rank in range(2) for name in dataset.part(rank, 2).as_torch(file_of)]
    assert sorted(found) == EVERY_NAME


def test_a_missing_library_is_reported_and_nothing_imports_it_before(dataset, monkeypatch):
    assert names(dataset) != []
    assert "torch" not in sys.modules
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(WrongUse, match="pip install torch"):
        dataset.as_torch()
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.delitem(sys.modules, "pixcrawler.streaming.hugging_face", raising=False)
    with pytest.raises(WrongUse, match="pip install datasets"):
        dataset.as_hugging_face()
