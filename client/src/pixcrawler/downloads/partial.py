"""A file that is not whole yet, and which of its segments it has.

```
dataset.zip.part        as large as the whole file; segments that are missing are holes
dataset.zip.part.json   {"etag": …, "size_bytes": …, "done": [0, 2]}
```
"""

import contextlib
import hashlib
import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from pixcrawler.answers import FileLink
from pixcrawler.errors import BrokenDownload, WrongUse

if sys.platform != "win32":
    import fcntl

PARTIAL_ENDINGS = (".part", ".part.json", ".part.json.new")
SEGMENT_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 1 << 20


@contextlib.contextmanager
def claimed(target: Path) -> Iterator[None]:
    """Keeps other downloads from storing the same file at the same time. The end of the process ends the claim, too.

    Windows and some network drives have no such locks. There, the checksum alone keeps a damaged file from its name.

    Raises:
        WrongUse: another download is storing the file.
        BrokenDownload: the folder cannot be written.
    """
    path = _partial_path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise _not_stored(path, error) from error
    with file:
        if sys.platform != "win32":
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WrongUse(
                    f"{target} is being stored by another download. Wait for it, or choose another folder."
                ) from None
            except OSError:
                pass
        yield


class PartialFile:
    """A file on its way into a folder. Threads may write its segments at the same time."""

    def __init__(self, target: Path, size_bytes: int) -> None:
        self.target = target
        self.size_bytes = size_bytes
        self.path = _partial_path(target)
        self.etag: str | None = None
        self._state = target.with_name(f"{target.name}.part.json")
        self._done: set[int] = set()
        self._lock = threading.Lock()

    @property
    def missing(self) -> list[int]:
        """The numbers of the segments that are not stored yet."""
        count = -(-self.size_bytes // SEGMENT_BYTES)
        return [number for number in range(count) if number not in self._done]

    @property
    def stored_bytes(self) -> int:
        """The bytes of the segments that are stored."""
        return sum(self.span(number)[1] for number in self._done)

    def span(self, segment: int) -> tuple[int, int]:
        """Returns the offset and the number of bytes of a segment."""
        start = segment * SEGMENT_BYTES
        return start, min(SEGMENT_BYTES, self.size_bytes - start)

    def open(self) -> None:
        """Goes on with what an earlier download has left, or begins.

        Raises:
            BrokenDownload: the folder cannot be written, or the disk has too little room.
        """
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            if not self._resume():
                self.begin_again()
            free = shutil.disk_usage(self.target.parent).free
        except OSError as error:
            raise _not_stored(self.path, error) from error
        if free < self.size_bytes - self.stored_bytes:
            raise BrokenDownload(
                f"{self.target} needs {self.size_bytes:,} bytes, but the disk has {free:,} free."
            )

    def begin_again(self) -> None:
        """Drops what is stored."""
        with self._lock:
            self.etag, self._done = None, set()
            self._state.unlink(missing_ok=True)
            with self.path.open("wb") as file:
                file.truncate(self.size_bytes)

    def expect(self, etag: str) -> bool:
        """Notes the tag of the file on the server. Returns False if the segments are those of another file."""
        with self._lock:
            if self.etag is None:
                self.etag = etag
            return self.etag == etag

    def write(self, offset: int, piece: bytes) -> None:
        """Stores bytes of a segment.

        Raises:
            BrokenDownload: the bytes cannot be stored.
        """
        try:
            # with a buffer, a write that the disk has room for only in part is an error
            with self.path.open("r+b") as file:
                file.seek(offset)
                file.write(piece)
        except OSError as error:
            raise _not_stored(self.path, error) from error

    def finish_segment(self, segment: int) -> None:
        """Notes that a segment is stored."""
        with self._lock:
            self._done.add(segment)
            state = {"etag": self.etag, "size_bytes": self.size_bytes, "done": sorted(self._done)}
            temporary = self._state.with_name(f"{self._state.name}.new")
            try:
                temporary.write_text(json.dumps(state), encoding="utf-8")
                temporary.replace(self._state)
            except OSError as error:
                raise _not_stored(self._state, error) from error

    def publish(self) -> None:
        """Gives the file its name."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        self.path.replace(self.target)
        self._state.unlink(missing_ok=True)

    def _resume(self) -> bool:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            state = cast("dict[str, Any]", json.loads(self._state.read_text(encoding="utf-8")))
            count = -(-self.size_bytes // SEGMENT_BYTES)
            done = {number for number in state["done"] if isinstance(number, int) and 0 <= number < count}
            same_size = self.path.stat().st_size == self.size_bytes == state["size_bytes"]
            if same_size and isinstance(state["etag"], str):
                self.etag, self._done = state["etag"], done
                return True
        return False


def is_whole(path: Path, link: FileLink) -> bool:
    """Whether a file has the size and the checksums that the API says."""
    if path.stat().st_size != link.size_bytes:
        return False
    with path.open("rb") as file:
        if link.sha256 is not None:
            return _digest(file, link.size_bytes) == link.sha256
        if link.part_bytes:
            count = -(-link.size_bytes // link.part_bytes)
            if link.parts_sha256 and len(link.parts_sha256) != count:
                return False
            return all(_digest(file, link.part_bytes) == expected for expected in link.parts_sha256)
    return True


def _partial_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _digest(file: Any, size_bytes: int) -> str:
    digest = hashlib.sha256()
    while size_bytes > 0 and (piece := file.read(min(_PIECE_BYTES, size_bytes))):
        digest.update(piece)
        size_bytes -= len(piece)
    return digest.hexdigest()


def _not_stored(path: Path, error: OSError) -> BrokenDownload:
    return BrokenDownload(f"{path} cannot be written: {error.strerror or error}.")
