"""Disks that are full, several downloads in one folder, names and sizes of a hostile app, and interruptions."""

import asyncio
import io
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pixcrawler import AsyncClient, BadAnswer, BrokenDownload, WrongUse
from pixcrawler.downloads import partial
from pixcrawler.downloads.partial import PartialFile, claimed
from tests.client.conftest import KEY, Answer, Asked, StoredFile, links

LINKS = "/api/v1/datasets/a1/download"
CONTENT = random.Random(1).randbytes(50_000)
_SOURCE = next(path for path in sys.path if path.endswith("client/src"))


class Stalled:
    """Says when a range is asked for, and answers when it is released."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.released = threading.Event()

    def __call__(self, asked: Asked) -> Answer:
        self.asked.set()
        self.released.wait(60)
        return StoredFile(CONTENT)(asked)


@pytest.fixture(autouse=True)
def _served(app):
    app.on("/blob", StoredFile(CONTENT))
    app.on(LINKS, links(app, CONTENT))


class _NearlyFull(io.FileIO):
    """A file on a disk with room for few more bytes: a write stores what fits, and the next one is an error."""

    def write(self, data) -> int:
        if self.tell() >= 1_000:
            raise OSError(28, "No space left on device")
        return super().write(bytes(data)[: 1_000 - self.tell()])


def test_a_disk_that_becomes_full_is_said(client, tmp_path, monkeypatch):
    before = Path.open

    def opened(path: Path, mode: str = "r", buffering: int = -1, **further):
        if mode != "r+b":
            return before(path, mode, buffering, **further)
        raw = _NearlyFull(path, mode)
        return raw if buffering == 0 else io.BufferedRandom(raw)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(BrokenDownload, match="No space left"):
        client.download("a1", tmp_path)


def test_two_downloads_do_not_store_the_same_file_at_the_same_time(client, tmp_path):
    with claimed(tmp_path / "pets.zip"), pytest.raises(WrongUse, match="another download"):
        client.download("a1", tmp_path)
    [path] = client.download("a1", tmp_path)
    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_the_place_of_a_folder_or_without_rights_is_an_error_with_a_text(client, tmp_path, app):
    (tmp_path / "pets.zip").mkdir()
    size = (tmp_path / "pets.zip").stat().st_size
    app.on(LINKS, links(app, CONTENT, size_bytes=size))
    with pytest.raises(BrokenDownload, match=r"pets\.zip cannot be read or written"):
        client.download("a1", tmp_path)
    app.on(LINKS, links(app, CONTENT, filename="\u732b" * 300))
    assert client.download("a1", tmp_path)[0].read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["pets.zip.part", "pets.ZIP.Part.json", "pets.zip.part.json.new"])
def test_a_name_that_incomplete_files_have_is_refused(app, client, tmp_path, name):
    app.on(LINKS, links(app, CONTENT, filename=name))
    with pytest.raises(BrokenDownload, match="reserved for incomplete files"):
        client.download("a1", tmp_path)


@pytest.mark.parametrize("changes", [
    {"size_bytes": -1}, {"size_bytes": 10**30}, {"sha256": None, "part_bytes": -5}, {"sha256": None, "part_bytes": 0},
])  # fmt: skip
def test_a_size_that_no_file_has_is_refused(app, client, tmp_path, changes):
    app.on(LINKS, links(app, CONTENT, **changes))
    with pytest.raises(BadAnswer, match=r"size_bytes|part_bytes"):
        client.download("a1", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_too_few_checksums_of_parts_are_no_match(app, client, tmp_path):
    app.on(LINKS, links(app, CONTENT, sha256=None, part_bytes=1, parts_sha256=["0" * 64]))
    with pytest.raises(BrokenDownload, match="another checksum"):
        client.download("a1", tmp_path)


def test_an_interruption_does_not_wait_for_a_storage_that_is_silent(app, config, tmp_path):
    stalled = Stalled()
    app.on("/blob", stalled)
    with subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-m", "pixcrawler", "download", "a1", "--to", str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={
            "PYTHONPATH": _SOURCE, "PIXCRAWLER_CONFIG": str(config), "PIXCRAWLER_URL": app.url,
            "PIXCRAWLER_API_KEY": KEY,
        },
    ) as process:  # fmt: skip
        assert stalled.asked.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    stalled.released.set()
    assert (process.returncode, out, err) == (130, b"", b"")


async def test_a_task_that_is_cancelled_ends_its_download(app, tmp_path, monkeypatch):
    monkeypatch.setattr(partial, "SEGMENT_BYTES", 1_000)
    stalled = Stalled()
    app.on("/blob", stalled)
    async with AsyncClient(app.url, KEY) as client:
        task = asyncio.create_task(client.download("a1", tmp_path, connections=1))
        await asyncio.to_thread(stalled.asked.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    stalled.released.set()
    # the claim ends with the thread
    while True:
        try:
            with claimed(tmp_path / "pets.zip"):
                break
        except WrongUse:
            await asyncio.sleep(0.01)
    file = PartialFile(tmp_path / "pets.zip", len(CONTENT))
    file.open()
    assert len(file.missing) == 50
    assert sum(asked.path == "/blob" for asked in app.asked) == 1
    assert os.listdir(tmp_path)  # noqa: PTH208 - the part stays
