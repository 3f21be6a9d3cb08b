"""Reads one segment of a file by range requests, until it has all its bytes."""

import re
import threading
from collections.abc import Callable, Generator
from typing import Final, Protocol

import httpx

from pixcrawler.errors import BrokenDownload, PixCrawlerError, Unreachable
from pixcrawler.exchange import FIRST_WAIT_SECONDS, Attempts

TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")


class LinkExpired(PixCrawlerError):
    """The link does not work any more."""


class FileChanged(PixCrawlerError):
    """The file on the server is another one than that of the stored segments."""


class Stopped(PixCrawlerError):
    """Another segment has failed, or the user has stopped the download."""


class Target(Protocol):
    """Receives the bytes of a file. `size_bytes` are those of the file, and `etag` is its tag, if it is known."""

    etag: str | None
    size_bytes: int

    def span(self, segment: int) -> tuple[int, int]:
        """Returns the offset and the number of bytes of a segment."""

    def expect(self, etag: str) -> bool:
        """Notes the tag of the file on the server. Returns False if it is another file than before."""

    def write(self, offset: int, piece: bytes) -> None:
        """Takes bytes of a segment."""

    def finish_segment(self, segment: int) -> None:
        """Notes that a segment has all its bytes."""


class Segments:
    """Reads the segments of one file from its link. Several threads may use it.

    `on_bytes` is called with the number of bytes of each piece that is stored, in the thread that stored it.
    """

    def __init__(
        self,
        http: httpx.Client,
        url: str,
        file: Target,
        stop: threading.Event,
        on_bytes: Callable[[int], None],
    ) -> None:
        self._http = http
        self._url = url
        self._file = file
        self._stop = stop
        self._on_bytes = on_bytes

    def read(self, segment: int) -> None:
        """Stores one segment. A connection that breaks off goes on at the byte where it broke.

        Raises:
            LinkExpired: new links are needed.
            FileChanged: the file is another one now.
            Unreachable: several attempts in a row brought no byte.
            BrokenDownload: the server does not answer with ranges, or the bytes cannot be stored.
        """
        start, size = self._file.span(segment)
        offset, end = start, start + size
        attempts = Attempts(FIRST_WAIT_SECONDS)
        while offset < end:
            before = offset
            if self._stop.is_set():
                raise Stopped("The download was stopped.")
            try:
                for piece in self._pieces(offset, end):
                    self._file.write(offset, piece)
                    offset += len(piece)
                    self._on_bytes(len(piece))
                if offset < end:
                    raise httpx.ReadError("the answer ended early")
            except httpx.HTTPError as error:
                if offset > before:
                    attempts = Attempts(FIRST_WAIT_SECONDS)
                self._wait(attempts.after_error(error, "The storage of the dataset"))
            except _Busy as busy:
                wait = attempts.after_answer(busy.status, busy.retry_after)
                if wait is None:
                    raise Unreachable(
                        f"The storage of the dataset answers {busy.status}. Try again later."
                    ) from None
                self._wait(wait)
        self._file.finish_segment(segment)

    def _pieces(self, offset: int, end: int) -> Generator[bytes, None, None]:
        headers = {"Range": f"bytes={offset}-{end - 1}", "Accept-Encoding": "identity"}
        if self._file.etag:
            headers["If-Match"] = self._file.etag
        with self._http.stream("GET", self._url, headers=headers) as response:
            self._check(response, offset, end)
            left = end - offset
            for piece in response.iter_raw():
                if self._stop.is_set():
                    raise Stopped("The download was stopped.")
                if len(piece) > left:
                    raise BrokenDownload(
                        "The storage of the dataset answers with more bytes than were asked for."
                    )
                left -= len(piece)
                yield piece

    def _check(self, response: httpx.Response, offset: int, end: int) -> None:
        status = response.status_code
        if status in {401, 403, 404}:
            raise LinkExpired(f"The link to the file is answered {status}.")
        if status == 412:
            raise FileChanged("The file has changed.")
        if status in {408, 429} or status >= 500:
            raise _Busy(status, response.headers.get("Retry-After"))
        found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        encoded = response.headers.get("Content-Encoding", "identity").lower() != "identity"
        if status != 206 or found is None or encoded:
            raise BrokenDownload(f"The storage of the dataset does not answer with a range ({status}).")
        first, last, size = map(int, found.groups())
        if size != self._file.size_bytes:
            raise FileChanged("The file has another size.")
        if first != offset or not offset <= last < end:
            raise BrokenDownload("The storage of the dataset answers with another range than was asked for.")
        if not self._file.expect(response.headers.get("ETag", "")):
            raise FileChanged("The file has changed.")

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped("The download was stopped.")


class _Busy(Exception):
    """The server asks to come back later."""

    def __init__(self, status: int, retry_after: str | None) -> None:
        super().__init__(status)
        self.status = status
        self.retry_after = retry_after
