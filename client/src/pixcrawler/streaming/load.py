"""Loads a dataset for streaming: reads its records, and chooses its images."""

import tempfile
import threading
from collections.abc import Iterator

import httpx
from typing_extensions import TypedDict

from pixcrawler.client import Client
from pixcrawler.config import allows_http, find_login
from pixcrawler.downloads.segments import TIMEOUT, FileChanged, LinkExpired, Segments
from pixcrawler.errors import BrokenDownload
from pixcrawler.exchange import Account, checked_link
from pixcrawler.streaming.blocks import BUFFER_BLOCKS, blocks_of
from pixcrawler.streaming.dataset import Options, StreamedDataset
from pixcrawler.streaming.ranges import WholeFile
from pixcrawler.streaming.reader import links_of
from pixcrawler.streaming.records import KeptImage, kept_images

_PIECE_BYTES = 1 << 20


class LoadOptions(TypedDict, total=False):
    """The options of `load_dataset` other than the client."""

    split: str | None
    label: str | None
    shuffle_seed: int | None
    buffer_blocks: int


def load_dataset(
    dataset_id: str,
    *,
    client: Client | None = None,
    split: str | None = None,
    label: str | None = None,
    shuffle_seed: int | None = None,
    buffer_blocks: int = BUFFER_BLOCKS,
) -> StreamedDataset:
    """Returns a dataset whose images are read while they are used. Only its records are read now.

    Without a client, the URL and the key are those of the environment or of `pixcrawler login`.

    Raises:
        NotConfigured: the URL or the key is missing.
        WrongUse: an option is out of its range.
        BrokenDownload: the dataset is in the Archive tier, or its records are damaged.
    """
    # options are checked before anything is read
    Options((), shuffle_seed, buffer_blocks)
    account = _account_of_login() if client is None else client.account
    labels: set[str] = set()
    images: list[KeptImage] = []
    for image in _records(account, dataset_id):
        labels.add(image.label)
        if split in {None, image.split} and label in {None, image.label}:
            images.append(image)
    options = Options(tuple(sorted(labels)), shuffle_seed, buffer_blocks)
    return StreamedDataset(account, dataset_id, blocks_of(images), options)


def _account_of_login() -> Account:
    login = find_login()
    return Account(login.url, login.api_key, allows_http())


def _records(account: Account, dataset_id: str) -> Iterator[KeptImage]:
    link = links_of(account, dataset_id).records
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
