"""A download whose process is killed twice, without a chance to tidy up."""

import random
import subprocess
import sys
import threading

from tests.client.conftest import KEY, Answer, Asked, StoredFile, links

_SOURCE = next(path for path in sys.path if path.endswith("client/src"))
_SEGMENT = 8 * 1024 * 1024
CONTENT = random.Random(1).randbytes(6 * _SEGMENT + 1_000)


class Paused:
    """Answers a number of ranges, and then holds all others until it is released."""

    def __init__(self, file: StoredFile, answered: int) -> None:
        self._file = file
        self._left = answered
        self._lock = threading.Lock()
        self.holds = threading.Event()
        self.released = threading.Event()

    def __call__(self, asked: Asked) -> Answer:
        with self._lock:
            self._left -= 1
            held = self._left < 0
        if held:
            self.holds.set()
            self.released.wait(60)
        return self._file(asked)


def test_a_download_that_is_killed_twice_ends_right(app, config, tmp_path):
    app.on("/api/v1/datasets/a1/download", links(app, CONTENT))
    stored = StoredFile(CONTENT)
    # one connection, so that a range that is asked for follows one that is stored
    for _ in range(2):
        paused = Paused(stored, 2)
        app.on("/blob", paused)
        with _download(app, config, tmp_path) as process:
            assert paused.holds.wait(60)
            process.kill()
        paused.released.set()
        assert process.returncode < 0
        assert not (tmp_path / "pets.zip").exists()
    app.on("/blob", stored)
    before = len(app.asked)
    with _download(app, config, tmp_path) as process:
        out, _ = process.communicate(timeout=60)
    assert (process.returncode, out.strip()) == (0, str(tmp_path / "pets.zip"))
    assert (tmp_path / "pets.zip").read_bytes() == CONTENT
    # what the killed processes had stored was not read again
    last = [asked.headers["range"] for asked in app.asked[before:] if asked.path == "/blob"]
    assert last == [
        f"bytes={start}-{min(start + _SEGMENT, len(CONTENT)) - 1}"
        for start in range(4 * _SEGMENT, len(CONTENT), _SEGMENT)
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pets.zip"]


def _download(app, config, folder) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-m", "pixcrawler", "download", "a1", "--to", str(folder), "--connections", "1"],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={
            "PYTHONPATH": _SOURCE, "PIXCRAWLER_CONFIG": str(config), "PIXCRAWLER_URL": app.url,
            "PIXCRAWLER_API_KEY": KEY,
        },
    )  # fmt: skip
