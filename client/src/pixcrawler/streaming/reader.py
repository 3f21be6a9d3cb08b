"""Reads the blocks of a dataset from storage, one window ahead of the caller."""

import threading
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import httpx

from pixcrawler.answers import Link, Links
from pixcrawler.client import Client
from pixcrawler.downloads.segments import TIMEOUT, FileChanged, LinkExpired, Segments
from pixcrawler.errors import BrokenDownload
from pixcrawler.exchange import Account, checked_link
from pixcrawler.streaming.blocks import Block, Window
from pixcrawler.streaming.ranges import RangeInMemory

CHANGED: Final = "The dataset has changed on the server. Load it again."
_CONNECTIONS = 8
_MAX_ROUNDS = 3

Contents = dict[int, bytearray]
"""The bytes of blocks, by the `id` of the block."""


class BlockReader:
    """Reads the blocks of one dataset. It remembers links and the tags of files, and can be pickled."""

    def __init__(self, account: Account, dataset_id: str) -> None:
        self._account = account
        self._dataset_id = dataset_id
        self._files: Mapping[str, Link] = {}
        self._etags: dict[str, str | None] = {}

    def read(self, windows: Iterable[Window]) -> Generator[tuple[Window, Contents], None, None]:
        """Yields each window with the bytes of its blocks, which are dropped when the next one is asked for.

        While the caller works with one window, the next one is read. So two windows are in memory at most.

        Raises:
            BrokenDownload: the dataset has changed, is in the Archive tier, or its links do not work.
            Unreachable: storage does not answer.
        """
        waiting, stop = iter(windows), threading.Event()
        with (
            httpx.Client(timeout=TIMEOUT, follow_redirects=False) as http,
            ThreadPoolExecutor(_CONNECTIONS) as connections,
            ThreadPoolExecutor(1) as ahead,
        ):
            run = _Run(http, connections, stop)

            def begin() -> tuple[Window, Future[Contents]] | None:
                window = next(waiting, None)
                return None if window is None else (window, ahead.submit(self._read_window, run, window))

            try:
                coming = begin()
                while coming is not None:
                    window, reading = coming
                    contents = reading.result()
                    coming = begin()
                    yield window, contents
                    contents.clear()
            finally:
                # also when the caller has left the iteration: what is read ahead is of no use
                stop.set()

    def _read_window(self, run: "_Run", window: Window) -> Contents:
        """Reads the blocks of a window in parallel. Asks for new links when they have expired."""
        blocks = {id(block): block for block, _ in window}
        contents: Contents = {}

        def read(key: int, block: Block) -> None:
            contents[key] = self._read_block(run, block)

        for _ in range(_MAX_ROUNDS):
            if not self._files:
                self._files = _files_of(self._account, self._dataset_id)
            missing = [(key, block) for key, block in blocks.items() if key not in contents]
            running = [run.connections.submit(read, key, block) for key, block in missing]
            errors = [error for each in running if (error := each.exception()) is not None]
            if not errors:
                return contents
            if not isinstance(errors[0], LinkExpired):
                raise errors[0]
            self._files = {}
        raise BrokenDownload("The links to the dataset do not work. Try again later.")

    def _read_block(self, run: "_Run", block: Block) -> bytearray:
        link = _link_of(self._files, block.blob)
        if block.end > link.size_bytes:
            raise BrokenDownload(CHANGED)
        size = block.end - block.start
        target = RangeInMemory(link.size_bytes, block.start, size, self._etags.get(block.blob))
        url = checked_link(link.url or "", self._account)
        try:
            Segments(run.http, url, target, run.stop, lambda _: None).read(0)
        except FileChanged:
            raise BrokenDownload(CHANGED) from None
        self._etags[block.blob] = target.etag
        return target.content


class _Run:
    """What one iteration uses."""

    def __init__(self, http: httpx.Client, connections: ThreadPoolExecutor, stop: threading.Event) -> None:
        self.http = http
        self.connections = connections
        self.stop = stop


def links_of(account: Account, dataset_id: str) -> Links:
    """Asks for new links with a client of its own, so that a dataset can be sent to other processes."""
    with Client(account.url, account.api_key, allow_http=account.allow_http) as client:
        return client.links(dataset_id)


def _files_of(account: Account, dataset_id: str) -> dict[str, Link]:
    files = links_of(account, dataset_id).files
    if any(link.url is None for link in files):
        raise BrokenDownload(
            f"The dataset is in the Archive tier. Bring it back with `pixcrawler rehydrate {dataset_id}`."
        )
    # a ZIP is one file, which is called after the dataset; shards keep the names that the records have
    return {"": files[0]} if len(files) == 1 else {link.filename: link for link in files}


def _link_of(files: Mapping[str, Link], blob: str) -> Link:
    link = files.get("") or files.get(blob.rpartition("/")[2])
    if link is None:
        raise BrokenDownload(CHANGED)
    return link
