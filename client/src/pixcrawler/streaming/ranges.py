"""Reads ranges of a file on the server into memory. Nothing is written to the user's disk."""

from typing import IO


class RangeInMemory:
    """One range of a file, in memory."""

    def __init__(self, file_bytes: int, start: int, size_bytes: int, etag: str | None) -> None:
        self.size_bytes = file_bytes
        self.etag = etag
        self.content = bytearray(size_bytes)
        self._start = start

    def span(self, segment: int) -> tuple[int, int]:
        """Returns the offset and the number of bytes of the range."""
        del segment
        return self._start, len(self.content)

    def expect(self, etag: str) -> bool:
        """Notes the tag of the file on the server. Returns False if it was another one before."""
        self.etag = self.etag or etag
        return self.etag == etag

    def write(self, offset: int, piece: bytes) -> None:
        """Takes bytes of the range."""
        at = offset - self._start
        self.content[at : at + len(piece)] = piece

    def finish_segment(self, segment: int) -> None:
        """Does nothing: the range is whole."""


class WholeFile(RangeInMemory):
    """A whole file, in a temporary file that the caller opens and closes."""

    def __init__(self, file_bytes: int, file: IO[bytes]) -> None:
        super().__init__(file_bytes, 0, 0, None)
        self._file = file

    def span(self, segment: int) -> tuple[int, int]:
        """Returns the offset and the number of bytes of the file."""
        del segment
        return 0, self.size_bytes

    def write(self, offset: int, piece: bytes) -> None:
        """Stores bytes of the file."""
        self._file.seek(offset)
        self._file.write(piece)
