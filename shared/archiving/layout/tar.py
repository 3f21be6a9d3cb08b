"""Computes a tar file: ustar headers, and pax headers if a name or a size does not fit into them.

Format: IEEE Std 1003.1-2017, pax, "pax Interchange Format" and "ustar Interchange Format".
"""

from collections.abc import Iterator
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from shared.archiving.layout.layout import Data, Names, cut

BLOCK = 512
_RECORD = 20 * BLOCK
_MAX_NAME = 100
_MAX_SIZE = 8**11 - 1


class TarLayout:
    """The layout of a tar file with these entries in this order (see `Layout`).

    The same entries and moment give the same bytes: owner, group and mode are fixed.
    """

    def __init__(self, names: Names, sizes: NDArray[np.int64], moment: datetime) -> None:
        self._names = names
        self._sizes = sizes
        self._mtime = max(0, int(moment.timestamp()))
        self._headers = np.full(len(sizes), BLOCK, np.int64)
        for entry in self._misfits():
            self._headers[entry] = len(self._header(entry))
        padded = -(-sizes // BLOCK) * BLOCK
        sums = np.cumsum(self._headers + padded, dtype=np.int64)
        self._offsets = np.concatenate([np.zeros(1, np.int64), sums])

    @property
    def data_offsets(self) -> NDArray[np.int64]:
        """The offset of each entry's data in the file, in bytes."""
        return self._offsets[:-1] + self._headers

    @property
    def size(self) -> int:
        """See `Layout.size`. Two empty blocks end the file, which fills whole records."""
        return -(-(int(self._offsets[-1]) + 2 * BLOCK) // _RECORD) * _RECORD

    def between(self, start: int, end: int) -> Iterator[bytes | Data]:
        """See `Layout.between`."""
        first = max(0, int(np.searchsorted(self._offsets, start, side="right")) - 1)
        for entry in range(first, len(self._sizes)):
            at, size = int(self._offsets[entry]), int(self._sizes[entry])
            if at >= end:
                return
            header = self._header(entry)
            yield cut(header, at, start, end)
            at += len(header)
            if max(start, at) < min(end, at + size):
                yield Data(entry, max(0, start - at), min(size, end - at))
            yield cut(bytes(-size % BLOCK), at + size, start, end)
        behind = int(self._offsets[-1])
        yield bytes(max(0, min(end, self.size) - max(start, behind)))

    def _misfits(self) -> list[int]:
        """Returns the entries that may need more than a ustar header."""
        odd = (self._names.lengths > _MAX_NAME) | (self._sizes > _MAX_SIZE)
        return np.flatnonzero(odd | (not self._names.ascii)).tolist()

    def _header(self, entry: int) -> bytes:
        name, size = self._names[entry], int(self._sizes[entry])
        records = b""
        if len(name) > _MAX_NAME or not name.isascii():
            records += _pax_record("path", name)
        if size > _MAX_SIZE:
            records += _pax_record("size", str(size).encode())
        if not records:
            return self._ustar(name, size, b"0")
        short = bytes(letter if letter < 128 else ord("_") for letter in name[-_MAX_NAME:])
        pax = self._ustar(b"PaxHeaders/" + short[-80:].replace(b"/", b"_"), len(records), b"x")
        padding = bytes(-len(records) % BLOCK)
        return pax + records + padding + self._ustar(short, min(size, _MAX_SIZE), b"0")

    def _ustar(self, name: bytes, size: int, kind: bytes) -> bytes:
        fields = [
            name.ljust(_MAX_NAME, b"\0"),
            b"0000644\0" + b"0000000\0" * 2,  # mode, owner, group
            b"%011o\0" % size,
            b"%011o\0" % self._mtime,
            b" " * 8,  # the checksum, which counts itself as blanks
            kind + bytes(100),  # and the name of a link
            b"ustar\0" + b"00" + bytes(64) + b"0000000\0" * 2,  # no names of owner and group, no device
        ]
        header = b"".join(fields).ljust(BLOCK, b"\0")
        return header[:148] + b"%06o\0 " % sum(header) + header[156:]


def _pax_record(key: str, value: bytes) -> bytes:
    """Encodes a record. It begins with its own length in bytes, which counts the digits of the length."""
    rest = b" " + key.encode() + b"=" + value + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest
