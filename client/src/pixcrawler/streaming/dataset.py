"""A dataset whose images are read from storage while they are used."""

import hashlib
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pixcrawler.errors import BrokenDownload, WrongUse
from pixcrawler.exchange import Account
from pixcrawler.streaming.blocks import BUFFER_BLOCKS, MAX_BUFFER_BLOCKS, Block, windows_of
from pixcrawler.streaming.reader import CHANGED, BlockReader
from pixcrawler.streaming.records import KeptImage

if TYPE_CHECKING:
    import datasets

    from pixcrawler.streaming.pytorch import TorchDataset

R = TypeVar("R")


@dataclass(frozen=True)
class Image:
    """One image: its file as `data`, and what its record says."""

    data: bytes
    label: str
    split: str
    file: str
    caption: str
    license: str


@dataclass(frozen=True)
class Options:
    """How a dataset is read. `labels` are those of the whole dataset, in the order of their names.

    `buffer_blocks` blocks of 4 MiB are in memory and shuffled together, and as many are read ahead. There are fewer of
    them where images are larger than 4 MiB.
    """

    labels: tuple[str, ...] = ()
    shuffle_seed: int | None = None
    buffer_blocks: int = BUFFER_BLOCKS

    def __post_init__(self) -> None:
        if not 1 <= self.buffer_blocks <= MAX_BUFFER_BLOCKS:
            raise WrongUse(f"'buffer_blocks' is {self.buffer_blocks}; it must be 1 to {MAX_BUFFER_BLOCKS}")


class StreamedDataset:
    """The images of a dataset, as an iterable of `Image`.

    At most twice `buffer_blocks` times 4 MiB, or two larger images, are in memory, and some 500 bytes for each image.
    With a `shuffle_seed`, each iteration has another order, which follows from the seed and the number of the
    iteration. An iteration that was left goes on where it was: `for` yields the remaining images. `state_dict` does
    the same for another process. It can be pickled, with the API key. Each image is compared with its checksum.
    """

    def __init__(
        self, account: Account, dataset_id: str, blocks: Sequence[Block], options: Options | None = None
    ) -> None:
        self._account = account
        self._dataset_id = dataset_id
        self._blocks = blocks
        self._options = options or Options()
        self._reader = BlockReader(account, dataset_id)
        self._epoch = 0
        self._position = 0
        self._length = sum(len(block.images) for block in blocks)
        self._digest = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the whole dataset, also of other splits. The place of a label can be its number."""
        return self._options.labels

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Image]:
        seed = self._options.shuffle_seed
        order = None if seed is None else f"{seed}/{self._epoch}"
        position = self._position
        windows = windows_of(self._blocks, order, self._options.buffer_blocks, skip=position)
        reading = self._reader.read(windows)
        try:
            for window, contents in reading:
                for block, image in window:
                    found = _image(image, contents[id(block)], block)
                    position += 1
                    self._position = position
                    yield found
        finally:
            reading.close()
        self._position, self._epoch = 0, self._epoch + 1

    def __getstate__(self) -> dict[str, Any]:
        # the library `datasets` pickles in Python, which takes long for many small objects
        return {**self.__dict__, "_blocks": pickle.dumps(self._blocks, pickle.HIGHEST_PROTOCOL)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._blocks = pickle.loads(state["_blocks"])  # noqa: S301 - a part of the pickle that is read now

    def part(self, index: int, count: int) -> "StreamedDataset":
        """Returns one of `count` parts, which together have all images, for several processes or computers.

        Parts are made of whole blocks, so that their lengths differ. A part begins at its first image.

        Raises:
            WrongUse: there is no such part.
        """
        if not 0 <= index < count:
            raise WrongUse(f"'index' is {index}; it must be 0 to {count - 1}")
        return self._of(self._blocks[index::count])

    def set_epoch(self, epoch: int) -> None:
        """Begins the iteration with this number, which has an order of its own if there is a `shuffle_seed`."""
        self._epoch, self._position = epoch, 0

    def state_dict(self) -> dict[str, Any]:
        """Returns where the iteration is, as JSON values."""
        return {"dataset": self._fingerprint(), "epoch": self._epoch, "position": self._position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state_dict` says.

        Raises:
            WrongUse: the state is that of another dataset, of other images of it, or of other options.
        """
        if state.get("dataset") != self._fingerprint():
            raise WrongUse("The state is that of another dataset, or was made with other options.")
        epoch, position = state.get("epoch"), state.get("position")
        if not (isinstance(epoch, int) and isinstance(position, int) and 0 <= position <= len(self)):
            raise WrongUse(f"The state is damaged: its epoch is {epoch!r}, its position {position!r}.")
        self._epoch, self._position = epoch, position

    def as_torch(self, transform: "Callable[[Image], R] | None" = None) -> "TorchDataset[R]":
        """Returns a `torch.utils.data.IterableDataset` that yields `transform(image)`, or images without one.

        Each worker of a `DataLoader` reads a part of its own. `state_dict` and `load_state_dict` are those that
        `torchdata`'s `StatefulDataLoader` calls.

        Raises:
            WrongUse: PyTorch is not installed.
        """
        try:
            from pixcrawler.streaming.pytorch import TorchDataset
        except ImportError as error:
            raise WrongUse("This needs PyTorch. Install it: pip install torch") from error
        return TorchDataset(self, transform)

    def as_hugging_face(self) -> "datasets.IterableDataset":
        """Returns a `datasets.IterableDataset` with the columns image, label, split, file, caption and license.

        It has shards of some blocks, which are what its `shuffle`, its workers and its nodes share.

        Raises:
            WrongUse: the library `datasets` is not installed.
        """
        try:
            from pixcrawler.streaming.hugging_face import as_hugging_face
        except ImportError as error:
            raise WrongUse(
                "This needs the library `datasets`. Install it: pip install datasets pillow"
            ) from error
        return as_hugging_face(self)

    def contiguous_parts(self) -> "list[StreamedDataset]":
        """Returns the dataset in parts that follow each other, each of which fills one buffer."""
        size = self._options.buffer_blocks
        return [self._of(self._blocks[start : start + size]) for start in range(0, len(self._blocks), size)]

    def _of(self, blocks: Sequence[Block]) -> "StreamedDataset":
        part = StreamedDataset(self._account, self._dataset_id, blocks, self._options)
        part._epoch = self._epoch
        return part

    def _fingerprint(self) -> str:
        """Returns a digest of everything that the order of the images follows from, but for the epoch."""
        if not self._digest:
            options = (self._dataset_id, self._options.shuffle_seed, self._options.buffer_blocks)
            digest = hashlib.sha256(repr(options).encode())
            for block in self._blocks:
                digest.update(b"".join(image.sha256 for image in block.images) + b"/")
            self._digest = digest.hexdigest()
        return self._digest


def _image(image: KeptImage, content: bytearray, block: Block) -> Image:
    at = image.offset - block.start
    data = bytes(memoryview(content)[at : at + image.size_bytes])
    if hashlib.sha256(data).digest() != image.sha256:
        raise BrokenDownload(f"{image.file or 'An image'} has another checksum than its record. {CHANGED}")
    return Image(data, image.label, image.split, image.file, image.caption, image.license)
