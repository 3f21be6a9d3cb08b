"""Other programs read the archives of any files, and any range of an archive can be made alone."""

import io
import shutil
import subprocess
import tarfile
import zipfile
import zlib
from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.archiving.layout.layout import NameList
from shared.archiving.layout.tar import TarLayout
from shared.archiving.layout.zip import ZipLayout
from tests.expect import present

MOMENT = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)
NAMES = st.text(st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), min_size=1, max_size=40)
LONG_NAMES = st.tuples(NAMES, st.integers(1, 5)).map(lambda name: name[0] * name[1])
FILES = st.dictionaries(NAMES, st.binary(max_size=300), max_size=30)


def _zip_layout(names, sizes, crc32s):
    return ZipLayout(NameList(names), np.array(sizes, np.int64), np.array(crc32s, np.uint32), MOMENT)


def _zip_of(files):
    contents = list(files.values())
    return _zip_layout(list(files), [len(data) for data in contents], [zlib.crc32(data) for data in contents])


def _tar_of(files):
    return TarLayout(
        NameList(list(files)), np.array([len(data) for data in files.values()], np.int64), MOMENT
    )


def _range(layout, contents, start, end):
    spans = layout.between(start, end)
    return b"".join(
        span if isinstance(span, bytes) else contents[span.entry][span.low : span.high] for span in spans
    )


def _whole(layout, files):
    data = _range(layout, list(files.values()), 0, layout.size)
    assert len(data) == layout.size
    return data


MAKERS = st.sampled_from([_zip_of, _tar_of])


@given(FILES)
def test_python_reads_a_zip_of_any_files(files):
    layout = _zip_of(files)
    whole = _whole(layout, files)
    for offset, data in zip(layout.data_offsets.tolist(), files.values(), strict=True):
        assert whole[offset : offset + len(data)] == data
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert {info.filename for info in archive.infolist()} == set(files)
        for name, data in files.items():
            assert archive.read(name) == data
            assert archive.getinfo(name).date_time == (2026, 3, 4, 5, 6, 8)


@given(st.dictionaries(LONG_NAMES, st.binary(max_size=1200), max_size=12))
def test_python_reads_a_tar_of_any_files(files):
    layout = _tar_of(files)
    whole = _whole(layout, files)
    for offset, data in zip(layout.data_offsets.tolist(), files.values(), strict=True):
        assert whole[offset : offset + len(data)] == data
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        found = {member.name: present(archive.extractfile(member)).read() for member in archive}
        assert found == {name.rstrip("/"): data for name, data in files.items()}
        assert {member.mtime for member in archive} <= {int(MOMENT.timestamp())}


@given(st.dictionaries(NAMES, st.binary(max_size=300), max_size=5), MAKERS, st.integers(40, 700))
def test_a_file_made_in_pieces_equals_the_file_made_at_once(files, make, step):
    layout = make(files)
    contents = list(files.values())
    pieces = [
        _range(layout, contents, start, min(start + step, layout.size))
        for start in range(0, layout.size, step)
    ]
    assert b"".join(pieces) == _whole(layout, files)


def test_a_zip_with_more_files_than_16_bits_can_count_is_zip64():
    files = {f"f/{number}": b"" for number in range(70_000)}
    with zipfile.ZipFile(io.BytesIO(_whole(_zip_of(files), files))) as archive:
        assert len(archive.namelist()) == 70_000


class Sparse(io.RawIOBase):
    """A file of a layout whose data is zeros, except for the given bytes. Bytes are made when they are read."""

    def __init__(self, layout, contents):
        self.at = 0
        self.layout = layout
        self.contents = contents

    def seekable(self):
        return True

    def readable(self):
        return True

    def seek(self, offset, whence=0):
        self.at = offset + (0, self.at, self.layout.size)[whence]
        return self.at

    def tell(self):
        return self.at

    def read(self, size=-1):
        end = self.layout.size if size < 0 else min(self.at + size, self.layout.size)
        found = []
        for span in self.layout.between(self.at, end):
            if isinstance(span, bytes):
                found.append(span)
            else:
                known = self.contents.get(span.entry)
                found.append(
                    known[span.low : span.high] if known is not None else bytes(span.high - span.low)
                )
        self.at = max(self.at, end)
        return b"".join(found)


LIMIT = 0xFFFFFFFF
SIZES = st.sampled_from([0, 3, LIMIT - 1, LIMIT, LIMIT + 1, 5 << 30, 9 << 30]) | st.integers(0, 1 << 40)


@given(st.lists(SIZES, min_size=1, max_size=6))
def test_zip_readers_find_files_at_any_offset_and_of_any_size(sizes):
    names = [f"f{number}" for number in range(len(sizes))]
    contents = {number: b"abc" for number, size in enumerate(sizes) if size == 3}
    layout = _zip_layout(names, sizes, [zlib.crc32(b"abc") if size == 3 else 0 for size in sizes])
    with zipfile.ZipFile(Sparse(layout, contents)) as archive:
        for name, size, offset in zip(names, sizes, layout.data_offsets.tolist(), strict=True):
            info = archive.getinfo(name)
            assert info.file_size == info.compress_size == size
            if size == 3:
                assert archive.read(name) == b"abc"
            assert info.header_offset + 30 + len(name) + (20 if size >= LIMIT else 0) == offset


@given(st.lists(SIZES, min_size=1, max_size=6))
def test_tar_readers_find_files_at_any_offset_and_of_any_size(sizes):
    names = [f"f{number}" for number in range(len(sizes))]
    layout = TarLayout(NameList(names), np.array(sizes, np.int64), MOMENT)
    with tarfile.open(fileobj=Sparse(layout, {})) as archive:
        members = archive.getmembers()
        assert [(member.name, member.size) for member in members] == list(zip(names, sizes, strict=True))
        assert [member.offset_data for member in members] == layout.data_offsets.tolist()


def test_the_programs_unzip_and_tar_accept_the_files_if_they_are_installed(tmp_path):
    files = {"a/b.txt": b"hello", "ü/日本.txt": b"x" * 5000, "n" * 180: b"", "z": bytes(range(256))}
    for name, layout, command in (
        ("t.zip", _zip_of(files), ["unzip", "-t"]),
        ("t.tar", _tar_of(files), ["tar", "-tf"]),
    ):
        (tmp_path / name).write_bytes(_whole(layout, files))
        if shutil.which(command[0]):
            subprocess.run([*command, tmp_path / name], check=True, capture_output=True)  # noqa: S603 - fixed
