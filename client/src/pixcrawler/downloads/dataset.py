"""Stores all files of a dataset in a folder."""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from pixcrawler.answers import FileLink, Links
from pixcrawler.downloads.partial import PARTIAL_ENDINGS, PartialFile, claimed, is_whole
from pixcrawler.downloads.segments import TIMEOUT, FileChanged, LinkExpired, Segments, Stopped
from pixcrawler.errors import BrokenDownload, WrongUse
from pixcrawler.exchange import checked_link
from pixcrawler.plain_text import file_name

if TYPE_CHECKING:
    from pixcrawler.client import Client

_MAX_CONNECTIONS = 32
# a link lasts an hour by default, and new ones are asked for as long as the file gets on
_MAX_ROUNDS_WITHOUT_PROGRESS = 3


@dataclass(frozen=True)
class Progress:
    """The progress of a download. `file` is the name of the file that is stored now."""

    file: str
    stored_bytes: int
    total_bytes: int


class DatasetDownload:
    """One download of a dataset. `progress` is called from several threads, one at a time."""

    def __init__(
        self,
        client: "Client",
        dataset_id: str,
        folder: Path,
        connections: int = 4,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        if not 1 <= connections <= _MAX_CONNECTIONS:
            raise WrongUse(f"'connections' is {connections}; it must be 1 to {_MAX_CONNECTIONS}")
        self._client = client
        self._dataset_id = dataset_id
        self._folder = folder
        self._connections = connections
        self._progress = progress
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._stopped = False
        self._stored = 0
        self._total = 0

    def stop(self) -> None:
        """Ends the download from another thread. What is stored is kept, and `run` raises `Stopped`."""
        self._stopped = True
        self._stop.set()

    def run(self) -> list[Path]:
        """Stores the files and returns their paths. Files that are there already are checked, and kept."""
        links = self._client.links(self._dataset_id)
        names = [_name_of(link) for link in links.files]
        if any(link.url is None for link in links.files):
            raise BrokenDownload(
                "The dataset is in the Archive tier. Bring it back with "
                f"`pixcrawler rehydrate {self._dataset_id}`."
            )
        if len({name.casefold() for name in names}) != len(names):
            raise BrokenDownload("Two files of the dataset have the same name.")
        self._total = sum(link.size_bytes for link in links.files)
        try:
            return self._store_all(links, names)
        except OSError as error:
            where = error.filename or self._folder
            raise BrokenDownload(f"{where} cannot be read or written: {error.strerror or error}.") from error

    def _store_all(self, links: Links, names: list[str]) -> list[Path]:
        limits = httpx.Limits(max_connections=self._connections)
        # files of another dataset in the folder are noticed before those of this one are among them
        for name in names:
            target = self._folder / name
            if target.exists() and target.stat().st_size != _link_of(links, name).size_bytes:
                raise _is_another_file(target)
        paths = []
        with httpx.Client(timeout=TIMEOUT, limits=limits, follow_redirects=False) as http:
            for name in names:
                path, links = self._store(http, links, name)
                paths.append(path)
        return paths

    def _store(self, http: httpx.Client, links: Links, name: str) -> tuple[Path, Links]:
        """Stores one file. Returns its path, and the links, which may be new ones."""
        target = self._folder / name
        link = _link_of(links, name)
        if not target.exists():
            with claimed(target):
                # another download may just have stored it
                if not target.exists():
                    return target, self._read_until_whole(http, links, target)
        if not is_whole(target, link):
            raise _is_another_file(target)
        self._add(name, link.size_bytes)
        return target, links

    def _read_until_whole(self, http: httpx.Client, links: Links, target: Path) -> Links:
        name = target.name
        link = _link_of(links, name)
        file, rounds, before = PartialFile(target, link.size_bytes), 0, self._stored
        file.open()
        while True:
            with self._lock:
                self._stored = before + file.stored_bytes
            stored = file.stored_bytes
            try:
                self._read(http, link, file, name)
                if is_whole(file.path, link):
                    file.publish()
                    return links
                file.begin_again()
                failure: Exception = BrokenDownload(f"{name} has another checksum than the API says.")
            except LinkExpired as error:
                failure = error
            except FileChanged as error:
                failure = error
                file.begin_again()
            rounds = 0 if file.stored_bytes > stored else rounds + 1
            if rounds >= _MAX_ROUNDS_WITHOUT_PROGRESS:
                raise BrokenDownload(f"{name} could not be stored: {failure} Try again later.") from failure
            links = self._client.links(self._dataset_id)
            link = _link_of(links, name)
            if link.size_bytes != file.size_bytes:
                file = PartialFile(target, link.size_bytes)
                file.open()

    def _read(self, http: httpx.Client, link: FileLink, file: PartialFile, name: str) -> None:
        """Reads the missing segments in parallel. The first error stops the others."""
        if link.url is None:
            raise BrokenDownload(f"{name} has been moved to the Archive tier.")
        stop = self._stop = threading.Event()
        if self._stopped:
            raise Stopped("The download was stopped.")
        url = checked_link(link.url, self._client.account)
        segments = Segments(http, url, file, stop, lambda count: self._add(name, count))
        pool = ThreadPoolExecutor(self._connections)
        running = [pool.submit(segments.read, number) for number in file.missing]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        except BaseException:
            # the user interrupts: what is stored is kept. A thread that waits for the server stores nothing any more.
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        errors = [error for each in running if not each.cancelled() and (error := each.exception())]
        errors.sort(key=lambda error: isinstance(error, Stopped))
        if errors:
            raise errors[0]

    def _add(self, name: str, count: int) -> None:
        with self._lock:
            self._stored += count
            if self._progress is not None:
                self._progress(Progress(name, min(self._stored, self._total), self._total))


def _is_another_file(target: Path) -> WrongUse:
    return WrongUse(f"{target} is another file. Move it away, or choose another folder.")


def _name_of(link: FileLink) -> str:
    try:
        name = file_name(link.filename)
    except ValueError:
        raise BrokenDownload("A file of the dataset has no usable name.") from None
    if name.lower().endswith(PARTIAL_ENDINGS):
        raise BrokenDownload(
            f"A file of the dataset has a name that is reserved for incomplete files: {name}"
        )
    return name


def _link_of(links: Links, name: str) -> FileLink:
    for link in links.files:
        if _name_of(link) == name:
            return link
    raise BrokenDownload(f"The dataset has no file {name} any more. Download it again.")
