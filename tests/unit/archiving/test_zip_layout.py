import io
import zipfile
import zlib
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shared.archiving.zip_layout import ZipEntry, ZipLayout

MOMENT = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)
NAMES = st.text(st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), min_size=1, max_size=40)


def _archive(files: dict[str, bytes]) -> bytes:
    entries = [ZipEntry(name, len(data), zlib.crc32(data)) for name, data in files.items()]
    layout = ZipLayout(entries, MOMENT)
    parts = [layout.header(number) + data for number, data in enumerate(files.values())]
    whole = b"".join(parts) + layout.directory()
    assert len(whole) == layout.size
    return whole


@given(st.dictionaries(NAMES, st.binary(max_size=300), max_size=30))
def test_any_files_make_a_zip_that_python_reads(files):
    with zipfile.ZipFile(io.BytesIO(_archive(files))) as archive:
        assert archive.testzip() is None
        assert {info.filename for info in archive.infolist()} == set(files)
        for name, data in files.items():
            assert archive.read(name) == data
            assert archive.getinfo(name).date_time == (2026, 3, 4, 5, 6, 8)


def test_more_files_than_16_bits_count_are_zip64():
    whole = _archive({f"f/{number}": b"" for number in range(70_000)})
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert len(archive.namelist()) == 70_000


def test_offsets_and_sizes_beyond_32_bits_are_told_in_the_directory():
    entries = [ZipEntry("huge", 5 << 30, 1), ZipEntry("behind", 3, zlib.crc32(b"abc"))]
    layout = ZipLayout(entries, MOMENT)
    directory = layout.directory()

    class Sparse(io.RawIOBase):
        """A file of zeros with what matters in its places."""

        def __init__(self):
            self.at = 0
            self.pieces = [
                (0, layout.header(0)),
                (layout.offsets[1], layout.header(1) + b"abc"),
                (layout.directory_offset, directory),
            ]

        def seekable(self):
            return True

        def readable(self):
            return True

        def seek(self, offset, whence=0):
            self.at = offset + (0, self.at, layout.size)[whence]
            return self.at

        def tell(self):
            return self.at

        def read(self, size=-1):
            size = layout.size - self.at if size < 0 else size
            for start, data in self.pieces:
                if start <= self.at < start + len(data):
                    found = data[self.at - start : self.at - start + size]
                    self.at += len(found)
                    return found
            return b""

    with zipfile.ZipFile(Sparse()) as archive:
        assert archive.getinfo("huge").file_size == 5 << 30
        assert archive.getinfo("behind").header_offset == layout.offsets[1] > 1 << 32
        assert archive.read("behind") == b"abc"
