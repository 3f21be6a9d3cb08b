"""A dataset whose images are read from storage while they are used."""

import hashlib
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from pixcrawler.answers import Link, Links
from pixcrawler.client import Client
from pixcrawler.config import allows_http, find_login
from pixcrawler.downloads.segments import TIMEOUT, FileChanged, LinkExpired, Segments
from pixcrawler.errors import BrokenDownload, WrongUse
from pixcrawler.exchange import Account, checked_link
from pixcrawler.streaming.blocks import BLOCKS_AT_ONCE, Block, blocks_of, windows_of
from pixcrawler.streaming.ranges import RangeInMemory, WholeFile
from pixcrawler.streaming.records import KeptImage, kept_images

_MAX_ROUNDS = 3
_PIECE_BYTES = 1 << 20
_CHANGED = "The dataset has changed on the server. Load it again."


@dataclass(frozen=True)
class Image:
    """One image: its file as `data`, and what its record says."""

    data: bytes
    label: str
    split: str
    file: str
    caption: str
    license: str


class StreamedDataset:
    """The images of a dataset, as an iterable of `Image`.

    At most eight blocks of 4 MiB (or of one larger image) are in memory, and some 500 bytes for each image. With a
    `shuffle_seed`, each iteration has another order, which follows from the seed and the number of the iteration. An
    iteration that was left goes on where it was: `for` yields the remaining images. `state_dict` does the same for
    another process. It can be pickled. Each image is compared with its checksum.
    """

    def __init__(
        self, account: Account, dataset_id: str, blocks: Sequence[Block], shuffle_seed: int | None = None
    ) -> None:
        self._account = account
        self._dataset_id = dataset_id
        self._blocks = blocks
        self._seed = shuffle_seed
        self._epoch = 0
        self._position = 0
        self._length = sum(len(block.images) for block in blocks)
        self._files: Mapping[str, Link] = {}
        self._etags: dict[str, str | None] = {}

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Image]:
        order = None if self._seed is None else f"{self._seed}/{self._epoch}"
        skipped = self._position
        with httpx.Client(timeout=TIMEOUT, follow_redirects=False) as http:
            for window in windows_of(self._blocks, order):
                if skipped >= len(window):
                    skipped -= len(window)
                    continue
                wanted = window[skipped:]
                skipped = 0
                contents = self._read(http, {id(block): block for block, _ in wanted})
                for block, image in wanted:
                    found = _image(image, contents[id(block)], block)
                    self._position += 1
                    yield found
                # the images of two windows are never in memory at the same time
                contents.clear()
        self._position, self._epoch = 0, self._epoch + 1

    def part(self, index: int, count: int) -> "StreamedDataset":
        """Returns one of `count` parts, which together have all images, for several processes.

        Raises:
            WrongUse: there is no such part.
        """
        if not 0 <= index < count:
            raise WrongUse(f"'index' is {index}; it must be 0 to {count - 1}")
        return StreamedDataset(self._account, self._dataset_id, self._blocks[index::count], self._seed)

    def state_dict(self) -> dict[str, Any]:
        """Returns where the iteration is, as JSON values."""
        return {"seed": self._seed, "epoch": self._epoch, "position": self._position, "length": self._length}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state_dict` says.

        Raises:
            WrongUse: the state is that of another dataset, or was made with another seed.
        """
        if state.get("length") != self._length or state.get("seed") != self._seed:
            raise WrongUse("The state is that of another dataset, or was made with another seed.")
        self._epoch, self._position = int(state["epoch"]), int(state["position"])

    def _read(self, http: httpx.Client, blocks: Mapping[int, Block]) -> dict[int, bytearray]:
        """Reads blocks in parallel. Asks for new links when they have expired."""
        contents: dict[int, bytearray] = {}
        stop = threading.Event()

        def read(key: int, block: Block) -> None:
            contents[key] = self._read_block(http, block, stop)

        for _ in range(_MAX_ROUNDS):
            if not self._files:
                self._files = _files_of(self._account, self._dataset_id)
            missing = [(key, block) for key, block in blocks.items() if key not in contents]
            with ThreadPoolExecutor(BLOCKS_AT_ONCE) as pool:
                running = [pool.submit(read, key, block) for key, block in missing]
            errors = [error for each in running if (error := each.exception()) is not None]
            if not errors:
                return contents
            if not isinstance(errors[0], LinkExpired):
                raise errors[0]
            self._files = {}
        raise BrokenDownload("The links to the dataset do not work. Try again later.")

    def _read_block(self, http: httpx.Client, block: Block, stop: threading.Event) -> bytearray:
        link = _link_of(self._files, block.blob)
        if block.end > link.size_bytes:
            raise BrokenDownload(_CHANGED)
        size = block.end - block.start
        target = RangeInMemory(link.size_bytes, block.start, size, self._etags.get(block.blob))
        url = checked_link(link.url or "", self._account)
        try:
            Segments(http, url, target, stop, lambda _: None).read(0)
        except FileChanged:
            raise BrokenDownload(_CHANGED) from None
        self._etags[block.blob] = target.etag
        return target.content


def load_dataset(
    dataset_id: str,
    *,
    client: Client | None = None,
    split: str | None = None,
    label: str | None = None,
    shuffle_seed: int | None = None,
) -> StreamedDataset:
    """Returns a dataset whose images are read while they are used. Only its records are read now.

    Without a client, the URL and the key are those of the environment or of `pixcrawler login`.

    Raises:
        NotConfigured: the URL or the key is missing.
        BrokenDownload: the dataset is in the Archive tier, or its records are damaged.
    """
    account = _account_of_login() if client is None else client.account
    images = [
        image
        for image in _records(account, dataset_id)
        if split in {None, image.split} and label in {None, image.label}
    ]
    return StreamedDataset(account, dataset_id, blocks_of(images), shuffle_seed)


def _account_of_login() -> Account:
    login = find_login()
    return Account(login.url, login.api_key, allows_http())


def _links(account: Account, dataset_id: str) -> Links:
    """Asks for new links with a client of its own, so that a dataset can be sent to other processes."""
    with Client(account.url, account.api_key, allow_http=account.allow_http) as client:
        return client.links(dataset_id)


def _records(account: Account, dataset_id: str) -> Iterator[KeptImage]:
    link = _links(account, dataset_id).records
    if link is None or link.url is None:
        raise BrokenDownload("The dataset has no records to read.")
    url = checked_link(link.url, account)
    with tempfile.TemporaryFile() as file, httpx.Client(timeout=TIMEOUT, follow_redirects=False) as http:
        target = WholeFile(link.size_bytes, file)
        try:
            Segments(http, url, target, threading.Event(), lambda _: None).read(0)
        except (FileChanged, LinkExpired) as error:
            raise BrokenDownload(f"The records cannot be read: {error} Load the dataset again.") from error
        file.seek(0)
        yield from kept_images(iter(lambda: file.read(_PIECE_BYTES), b""))


def _files_of(account: Account, dataset_id: str) -> dict[str, Link]:
    files = _links(account, dataset_id).files
    if any(link.url is None for link in files):
        raise BrokenDownload(
            f"The dataset is in the Archive tier. Bring it back with `pixcrawler rehydrate {dataset_id}`."
        )
    # a ZIP is one file, which is called after the dataset; shards keep the names that the records have
    return {"": files[0]} if len(files) == 1 else {link.filename: link for link in files}


def _link_of(files: Mapping[str, Link], blob: str) -> Link:
    link = files.get("") or files.get(blob.rpartition("/")[2])
    if link is None:
        raise BrokenDownload(_CHANGED)
    return link


def _image(image: KeptImage, content: bytearray, block: Block) -> Image:
    at = image.offset - block.start
    data = bytes(memoryview(content)[at : at + image.size_bytes])
    if hashlib.sha256(data).digest() != image.sha256:
        raise BrokenDownload(f"{image.file or 'An image'} has another checksum than its record. {_CHANGED}")
    return Image(data, image.label, image.split, image.file, image.caption, image.license)
