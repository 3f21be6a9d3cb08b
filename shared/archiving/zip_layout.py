"""A ZIP file as arithmetic: every byte's place is known before the first one is written.

Entries are stored, not compressed (images are compressed already), and their sizes and checksums are known, so local
headers need no data descriptors and any range of the file can be made without what is before it. Format: PKWARE
APPNOTE.TXT 6.3.10; sections are named below.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

_LIMIT_32 = 0xFFFFFFFF
_LIMIT_16 = 0xFFFF
_UTF8 = 0x0800  # general purpose bit 11 (4.4.4)
_STORED = 0  # compression method (4.4.5)
_UNIX = 3 << 8  # made by (4.4.2)
_VERSION, _VERSION_64 = 20, 45  # needed to extract (4.4.3)
_FILE_MODE = 0o100644 << 16  # external attributes (4.4.15)
_ZIP64_TAG = 0x0001  # extra field (4.5.3)


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """One file of the archive: its name, size in bytes and CRC-32."""

    name: str
    size: int
    crc32: int


class ZipLayout:
    """Where everything is in the archive of these entries, in this order.

    The file is a row of segments: header 0, data 0, header 1, data 1, …, and the directory. Headers and directory are
    made here; the data is the caller's.
    """

    def __init__(self, entries: Sequence[ZipEntry], moment: datetime) -> None:
        self._entries = entries
        self._time, self._date = _dos_time(moment)
        lengths = [self._header_size(entry) + entry.size for entry in entries]
        self._offsets = list(accumulate(lengths, initial=0))
        self._directory: bytes | None = None

    @property
    def directory_offset(self) -> int:
        """Where the last entry's data ends."""
        return self._offsets[-1]

    @property
    def offsets(self) -> Sequence[int]:
        """Where each entry's header begins, and behind them where the directory does."""
        return self._offsets

    @property
    def size(self) -> int:
        """The whole file's size in bytes."""
        return self.directory_offset + len(self.directory())

    def header(self, number: int) -> bytes:
        """The local file header (4.3.7) of an entry."""
        entry = self._entries[number]
        name = entry.name.encode()
        large = entry.size >= _LIMIT_32
        extra = struct.pack("<HHQQ", _ZIP64_TAG, 16, entry.size, entry.size) if large else b""
        size = _LIMIT_32 if large else entry.size
        fixed = struct.pack(
            "<4sHHHHHIIIHH",
            b"PK\x03\x04",
            _VERSION_64 if large else _VERSION,
            _UTF8,
            _STORED,
            self._time,
            self._date,
            entry.crc32,
            size,
            size,
            len(name),
            len(extra),
        )
        return fixed + name + extra

    def directory(self) -> bytes:
        """The central directory (4.3.12) and its end records (4.3.14 to 4.3.16)."""
        if self._directory is None:
            files = b"".join(self._directory_header(number) for number in range(len(self._entries)))
            self._directory = files + self._end(len(files))
        return self._directory

    def _header_size(self, entry: ZipEntry) -> int:
        return 30 + len(entry.name.encode()) + (20 if entry.size >= _LIMIT_32 else 0)

    def _directory_header(self, number: int) -> bytes:
        entry = self._entries[number]
        offset = self._offsets[number]
        name = entry.name.encode()
        fields = b""  # in the order of 4.5.3: sizes, then offset, each only where its own field is full
        size = entry.size
        if size >= _LIMIT_32:
            fields += struct.pack("<QQ", size, size)
            size = _LIMIT_32
        if offset >= _LIMIT_32:
            fields += struct.pack("<Q", offset)
            offset = _LIMIT_32
        extra = struct.pack("<HH", _ZIP64_TAG, len(fields)) + fields if fields else b""
        version = _VERSION_64 if fields else _VERSION
        fixed = struct.pack(
            "<4sHHHHHHIIIHHHHHII",
            b"PK\x01\x02",
            _UNIX | version,
            version,
            _UTF8,
            _STORED,
            self._time,
            self._date,
            entry.crc32,
            size,
            size,
            len(name),
            len(extra),
            0,
            0,
            0,
            _FILE_MODE,
            offset,
        )
        return fixed + name + extra

    def _end(self, directory_size: int) -> bytes:
        count, offset = len(self._entries), self.directory_offset
        end = b""
        if count >= _LIMIT_16 or offset >= _LIMIT_32 or directory_size >= _LIMIT_32:
            end += struct.pack(
                "<4sQHHIIQQQQ",
                b"PK\x06\x06",
                44,
                _UNIX | _VERSION_64,
                _VERSION_64,
                0,
                0,
                count,
                count,
                directory_size,
                offset,
            )
            end += struct.pack("<4sIQI", b"PK\x06\x07", 0, offset + directory_size, 1)
        few = min(count, _LIMIT_16)
        return end + struct.pack(
            "<4sHHHHIIH",
            b"PK\x05\x06",
            0,
            0,
            few,
            few,
            min(directory_size, _LIMIT_32),
            min(offset, _LIMIT_32),
            0,
        )


def _dos_time(moment: datetime) -> tuple[int, int]:
    """MS-DOS time and date (4.4.6), which begin in 1980 and count two seconds."""
    year = min(max(moment.year, 1980), 2107)
    date = (year - 1980) << 9 | moment.month << 5 | moment.day
    return moment.hour << 11 | moment.minute << 5 | moment.second // 2, date
