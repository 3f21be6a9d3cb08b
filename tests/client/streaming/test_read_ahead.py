"""How far a dataset is read ahead, and what is left when an iteration is left."""

import threading

import pytest

from pixcrawler import WrongUse
from pixcrawler.streaming import blocks
from pixcrawler.streaming.blocks import blocks_of, windows_of
from pixcrawler.streaming.records import KeptImage
from tests.client.conftest import Asked, StoredFile
from tests.client.streaming.served import COUNT, names


class Watched:
    """A stored file that says when so many ranges were asked for."""

    def __init__(self, file: StoredFile, wanted: int) -> None:
        self.file = file
        self.ranges = 0
        self.wanted = wanted
        self.reached = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, asked: Asked):
        with self._lock:
            self.ranges += 1
            if self.ranges >= self.wanted:
                self.reached.set()
        return self.file(asked)


def test_one_window_is_read_ahead_while_the_caller_works_and_no_more(app, client, stored):
    watched = Watched(stored, 4)
    app.on("/blob", watched)
    dataset = client.load_dataset("a1", buffer_blocks=2)
    assert watched.ranges == 0
    iteration = iter(dataset)
    next(iteration)
    # the caller works, and the second window is read in the meantime
    assert watched.reached.wait(30)
    next(iteration)
    assert watched.ranges == 4
    assert len(list(iteration)) == COUNT - 2


@pytest.mark.usefixtures("stored")
def test_an_iteration_that_is_left_ends_its_threads_and_goes_on_later(client):
    dataset = client.load_dataset("a1", buffer_blocks=2)
    iteration = iter(dataset)
    begun = [next(iteration).file for _ in range(5)]
    iteration.close()
    # the threads of the small app stay
    assert [each.name for each in threading.enumerate() if "ThreadPool" in each.name] == []
    assert begun + names(dataset) == [f"{number}.jpg" for number in range(COUNT)]


def test_an_error_of_what_is_read_ahead_comes_when_it_is_needed(client, stored):
    dataset = client.load_dataset("a1", buffer_blocks=1)
    iteration = iter(dataset)
    first = next(iteration)
    stored.etag = '"2"'
    found = [first.file]
    with pytest.raises(Exception, match="changed"):
        found.extend(image.file for image in iteration)
    # what was whole was yielded, and the place is known
    assert found == [f"{number}.jpg" for number in range(len(found))]
    assert dataset.state_dict()["position"] == len(found)


@pytest.mark.usefixtures("stored")
def test_the_buffer_says_how_far_images_are_mixed(client):
    def distance(buffer_blocks: int) -> int:
        found = names(client.load_dataset("a1", shuffle_seed=1, buffer_blocks=buffer_blocks))
        assert sorted(found) == sorted(f"{number}.jpg" for number in range(COUNT))
        numbers = [int(name[:-4]) for name in found[:10]]
        return len({number // 20 for number in numbers})

    assert distance(1) < distance(15)
    for wrong in (0, 257):
        with pytest.raises(WrongUse, match="buffer_blocks"):
            client.load_dataset("a1", buffer_blocks=wrong)


@pytest.mark.usefixtures("stored")
def test_a_state_fits_the_same_images_in_the_same_order_only(client):
    state = client.load_dataset("a1", shuffle_seed=1).state_dict()
    client.load_dataset("a1", shuffle_seed=1).load_state_dict(state)
    for other in (
        client.load_dataset("a1", shuffle_seed=2),
        client.load_dataset("a1", shuffle_seed=1, buffer_blocks=3),
        client.load_dataset("a1", shuffle_seed=1, split="val"),
        client.load_dataset("a1", shuffle_seed=1).part(0, 2),
    ):
        with pytest.raises(WrongUse, match="another dataset"):
            other.load_state_dict(state)


@pytest.mark.usefixtures("stored")
def test_an_epoch_can_be_chosen_and_the_labels_are_those_of_all_splits(client):
    dataset = client.load_dataset("a1", shuffle_seed=1, split="val", label="cat")
    first, second = names(dataset), names(dataset)
    dataset.set_epoch(0)
    assert names(dataset.part(0, 1)) == first
    dataset.set_epoch(1)
    assert names(dataset.part(0, 1)) == second
    assert dataset.labels == ("cat", "dog")


@pytest.mark.parametrize(("sizes", "expected"), [
    ([1, 1, 1, 1, 1], [2, 2, 1]), ([9, 1, 1, 9, 9], [1, 2, 1, 1]), ([5, 5, 5], [1, 1, 1]), ([4, 4, 4], [2, 1]),
])  # fmt: skip
def test_windows_of_large_images_are_bounded_by_their_bytes(sizes, expected):
    unit = blocks.BLOCK_BYTES // 4
    images = [
        KeptImage("cat", "", f"{n}.jpg", "", "", f"{n}.tar", 0, size * unit, b"")
        for n, size in enumerate(sizes)
    ]
    windows = list(windows_of(blocks_of(images), None, 2))
    assert [len(window) for window in windows] == expected
    # a place in the order is the same image, wherever one goes on
    for skip in range(len(images) + 1):
        rest = [image for window in windows_of(blocks_of(images), None, 2, skip=skip) for _, image in window]
        assert rest == images[skip:]


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    "wrong", [{"position": -3}, {"position": COUNT + 1}, {"position": "3"}, {"epoch": None}]
)
def test_a_damaged_state_is_refused(client, wrong):
    dataset = client.load_dataset("a1", shuffle_seed=1)
    with pytest.raises(WrongUse, match="damaged"):
        dataset.load_state_dict({**dataset.state_dict(), **wrong})
