"""Computes a ZIP file.

Entries are stored, not compressed (images are compressed already). Their sizes and checksums are known, so local
headers need no data descriptors. Format: PKWARE APPNOTE.TXT 6.3.10. Its sections are named below.
"""

import struct
from collections.abc import Iterator
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from shared.archiving.layout.layout import Data, Names, cut

_LIMIT_32 = 0xFFFFFFFF
_LIMIT_16 = 0xFFFF
# general purpose bit 11 (4.4.4)
_UTF8 = 0x0800
# compression method (4.4.5)
_STORED = 0
# made by (4.4.2)
_UNIX = 3 << 8
# needed to extract (4.4.3)
_VERSION, _VERSION_64 = 20, 45
# external attributes (4.4.15): the mode of Unix, and the attribute of a directory in MS-DOS
_FILE_MODE, _FOLDER_MODE = 0o100644 << 16, 0o040755 << 16 | 0x10
# extra field (4.5.3)
_ZIP64_TAG = 0x0001
_LOCAL, _CENTRAL = struct.Struct("<4sHHHHHIIIHH"), struct.Struct("<4sHHHHHHIIIHHHHHII")


class ZipLayout:
    """The layout of an archive with these entries in this order (see `Layout`).

    The file is header 0, data 0, header 1, data 1, …, and the directory. `sizes` and `crc32s` are the entries'. An
    entry whose name ends in "/" is a folder.
    """

    def __init__(
        self, names: Names, sizes: NDArray[np.int64], crc32s: NDArray[np.uint32], moment: datetime
    ) -> None:
        self._names = names
        self._sizes = sizes
        self._crc32s = crc32s
        self._time, self._date = _dos_time(moment)
        large = sizes >= _LIMIT_32
        headers = _LOCAL.size + names.lengths + np.where(large, 20, 0)
        self._offsets = _running_sums(headers + sizes)
        far = self._offsets[:-1] >= _LIMIT_32
        extra = np.where(large, 16, 0) + np.where(far, 8, 0)
        described = _CENTRAL.size + names.lengths + extra + np.where(extra, 4, 0)
        self._described = self.directory_offset + _running_sums(described)
        self._end = self._ending()

    @property
    def directory_offset(self) -> int:
        """The offset at which the last entry's data ends and the central directory begins."""
        return int(self._offsets[-1])

    @property
    def data_offsets(self) -> NDArray[np.int64]:
        """The offset of each entry's data in the file, in bytes."""
        return self._offsets[1:] - self._sizes

    @property
    def size(self) -> int:
        """See `Layout.size`."""
        return int(self._described[-1]) + len(self._end)

    def between(self, start: int, end: int) -> Iterator[bytes | Data]:
        """See `Layout.between`."""
        for entry in _entries(self._offsets, start, end):
            at, size = int(self._offsets[entry]), int(self._sizes[entry])
            header = self._header(entry)
            yield cut(header, at, start, end)
            at += len(header)
            if max(start, at) < min(end, at + size):
                yield Data(entry, max(0, start - at), min(size, end - at))
        for entry in _entries(self._described, start, end):
            yield cut(self._description(entry), int(self._described[entry]), start, end)
        yield cut(self._end, int(self._described[-1]), start, end)

    def _header(self, entry: int) -> bytes:
        """Makes the local file header (4.3.7)."""
        name, size = self._names[entry], int(self._sizes[entry])
        large = size >= _LIMIT_32
        extra = struct.pack("<HHQQ", _ZIP64_TAG, 16, size, size) if large else b""
        size = min(size, _LIMIT_32)
        version = _VERSION_64 if large else _VERSION
        moment = self._time, self._date
        checked = int(self._crc32s[entry]), size, size
        return (
            _LOCAL.pack(b"PK\x03\x04", version, _UTF8, _STORED, *moment, *checked, len(name), len(extra))
            + name
            + extra
        )

    def _description(self, entry: int) -> bytes:
        """Makes the central directory header (4.3.12)."""
        name, size, offset = self._names[entry], int(self._sizes[entry]), int(self._offsets[entry])
        # the order of 4.5.3 is sizes, then offset; each is there only if its own field is full
        fields = b""
        if size >= _LIMIT_32:
            fields += struct.pack("<QQ", size, size)
            size = _LIMIT_32
        if offset >= _LIMIT_32:
            fields += struct.pack("<Q", offset)
            offset = _LIMIT_32
        extra = struct.pack("<HH", _ZIP64_TAG, len(fields)) + fields if fields else b""
        version = _VERSION_64 if fields else _VERSION
        moment = self._time, self._date
        checked = int(self._crc32s[entry]), size, size
        lengths = len(name), len(extra), 0
        mode = _FOLDER_MODE if name.endswith(b"/") else _FILE_MODE
        return (
            _CENTRAL.pack(
                *(b"PK\x01\x02", _UNIX | version, version, _UTF8, _STORED, *moment, *checked, *lengths),
                *(0, 0, mode, offset),
            )
            + name
            + extra
        )

    def _ending(self) -> bytes:
        """Makes the end records (4.3.14 to 4.3.16)."""
        count, offset = len(self._sizes), self.directory_offset
        size = int(self._described[-1]) - offset
        end = b""
        if count >= _LIMIT_16 or offset >= _LIMIT_32 or size >= _LIMIT_32:
            versions = _UNIX | _VERSION_64, _VERSION_64
            end += struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, *versions, 0, 0, count, count, size, offset)
            end += struct.pack("<4sIQI", b"PK\x06\x07", 0, offset + size, 1)
        few = min(count, _LIMIT_16)
        sizes = min(size, _LIMIT_32), min(offset, _LIMIT_32)
        return end + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, few, few, *sizes, 0)


def _running_sums(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def _entries(offsets: NDArray[np.int64], start: int, end: int) -> range:
    """Returns the entries that overlap `start` to `end`. Entry i is from offsets[i] to offsets[i + 1]."""
    first = int(np.searchsorted(offsets, start, side="right")) - 1
    last = int(np.searchsorted(offsets, end, side="left"))
    return range(max(0, first), min(last, len(offsets) - 1))


def _dos_time(moment: datetime) -> tuple[int, int]:
    """Returns the MS-DOS time and date (4.4.6), which begin in 1980 and count steps of two seconds."""
    year = min(max(moment.year, 1980), 2107)
    date = (year - 1980) << 9 | moment.month << 5 | moment.day
    return moment.hour << 11 | moment.minute << 5 | moment.second // 2, date
