"""ZIPs that are not safe to unpack, or damaged."""

import stat
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from pixcrawler import BrokenDownload, WrongUse
from pixcrawler.downloads import unpack as module
from pixcrawler.downloads.unpack import unpack


def zip_of(
    folder: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED
) -> Path:
    path = folder / "pets.zip"
    with zipfile.ZipFile(path, "w", method) as made:
        for name, content in entries:
            made.writestr(name, content)
    return path


def everything(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_zip_is_unpacked_into_a_folder_beside_it_once(tmp_path):
    path = zip_of(tmp_path, ("train/cat/1.jpg", b"1"), ("train/größe 100%/2.jpg", b"2"), ("empty/", b""))
    folder = unpack(path)
    assert folder == tmp_path / "pets"
    assert (folder / "train" / "größe 100%" / "2.jpg").read_bytes() == b"2"
    (folder / "mine.txt").write_text("kept")
    assert unpack(path) == folder
    assert (folder / "mine.txt").exists()


@pytest.mark.parametrize("name", [
    "../up.txt", "a/../../up.txt", "/etc/up.txt", "a//b", "./a", "a/..", "C:/up.txt", "..\\up.txt", "a\\b", "a\nb",
    "a\x1b[2Jb", "nul", "a/COM1.txt", "a.", "a ", " a", "a?b", "..", "a/./b",
])  # fmt: skip
def test_a_name_that_is_not_safe_leaves_nothing_behind(tmp_path, name):
    path = zip_of(tmp_path, ("first.txt", b"1"), (name, b"2"))
    with pytest.raises(BrokenDownload, match="not safe"):
        unpack(path)
    assert everything(tmp_path) == ["pets.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    info = zipfile.ZipInfo("link")
    info.external_attr = (kind | 0o777) << 16
    with pytest.raises(BrokenDownload, match="not safe"):
        unpack(zip_of(tmp_path, (info, b"/etc/passwd")))
    assert everything(tmp_path) == ["pets.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(tmp_path):
    with pytest.raises(BrokenDownload):
        unpack(zip_of(tmp_path, ("a.txt", b"1"), ("a.txt", b"2")))
    assert everything(tmp_path) == ["pets.zip"]


def test_a_zip_that_would_grow_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ALLOWANCE_BYTES", 1_000)
    path = zip_of(tmp_path, ("bomb", bytes(10_000_000)), method=zipfile.ZIP_DEFLATED)
    with pytest.raises(BrokenDownload, match="would grow"):
        unpack(path)
    monkeypatch.setattr(module, "MAX_FILES", 0)
    with pytest.raises(BrokenDownload, match="files"):
        unpack(path)


def test_a_size_that_is_a_lie_ends_where_it_says(tmp_path):
    """The directory says 10 bytes, and the data has a thousand times as many."""
    path = zip_of(tmp_path, ("a.bin", bytes(10_000)), method=zipfile.ZIP_DEFLATED)
    content = path.read_bytes().replace((10_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(content)
    with pytest.raises(BrokenDownload, match="damaged"):
        unpack(path)
    assert everything(tmp_path) == ["pets.zip"]


@pytest.mark.parametrize("change", [
    lambda data: data[:-30], lambda data: b"PK" + data[2:40].replace(b"content", b"damaged") + data[40:], lambda _: b"",
])  # fmt: skip
def test_a_damaged_zip_leaves_nothing_behind(tmp_path, change):
    path = zip_of(tmp_path, ("a", b"content"))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(BrokenDownload, match="damaged"):
        unpack(path)
    assert everything(tmp_path) == ["pets.zip"]


def test_what_is_left_of_an_unpacking_that_was_killed_is_replaced(tmp_path):
    left = tmp_path / "pets.unpacking"
    left.mkdir()
    (left / "half.jpg").write_text("")
    unpack(zip_of(tmp_path, ("a", b"content")))
    assert everything(tmp_path) == ["pets", "pets.zip", "pets/a"]


def test_a_zip_without_room_or_another_file_is_refused(tmp_path, monkeypatch):
    path = zip_of(tmp_path, ("a", b"content"))
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1))
    with pytest.raises(BrokenDownload, match="1 free"):
        unpack(path)
    with pytest.raises(WrongUse, match="no ZIP"):
        unpack(tmp_path / "00001.tar")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_stream_or_an_unusual_compression_leaves_nothing_behind(tmp_path, method):
    path = zip_of(tmp_path, ("a.txt", b"abc def ghi" * 1_000), method=method)
    content = bytearray(path.read_bytes())
    content[40:50] = b"\xff" * 10
    path.write_bytes(content)
    with pytest.raises(BrokenDownload, match=r"damaged|compression"):
        unpack(path)
    assert everything(tmp_path) == ["pets.zip"]


@pytest.mark.parametrize("there", [{}, {"a": b"content"}, {"a": b"content", "b": b"short"}])
def test_a_folder_of_another_dataset_is_not_taken_for_that_of_the_zip(tmp_path, there):
    path = zip_of(tmp_path, ("a", b"content"), ("b", b"longer"))
    (tmp_path / "pets").mkdir()
    for name, content in there.items():
        (tmp_path / "pets" / name).write_bytes(content)
    with pytest.raises(WrongUse, match="Move the folder away"):
        unpack(path)
    assert everything(tmp_path / "pets") == sorted(there)
