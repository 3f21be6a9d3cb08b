"""Judging any bytes ends soon, with an image or a rejection."""

import random
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Rejected
from tests.unit.crawling.judging.pictures import refused_files, whole_files

ANY = Filters(
    min_width=1,
    min_height=1,
    max_aspect_ratio=1000,
    max_pixels=4_000_000,
    formats=("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"),
)
SECONDS = 5.0
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::RuntimeWarning:PIL")


def judge(data: bytes) -> None:
    began = time.process_time()
    found = inspect(data, ANY)
    assert isinstance(found, Inspected | Rejected)
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("name", [*whole_files(), *refused_files()])
def test_a_mutated_file_is_kept_or_rejected(name):
    data = whole_files()[name][0] if name in whole_files() else refused_files()[name][0]
    if len(data) > 400_000:
        return
    chance = random.Random(name)
    for _ in range(25):
        mutated = bytearray(data)
        for _ in range(chance.choice((1, 1, 4, 30))):
            place = min(
                int(chance.expovariate(4 / len(mutated))), len(mutated) - 1
            )  # headers more than pixels
            match chance.randrange(4):
                case 0:
                    mutated[place] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
                case 1:
                    mutated[place] ^= 1 << chance.randrange(8)
                case 2:
                    mutated[place : place + chance.randrange(1, 9)] = chance.randbytes(chance.randrange(9))
                case _:
                    mutated[place : place + 4] = b"\xff\xff\xff\xff"
            mutated = mutated or bytearray(b"\0")
        judge(bytes(mutated))


@given(st.binary(max_size=300))
def test_any_bytes_are_kept_or_rejected(data):
    judge(data)


@settings(max_examples=150)
@given(
    st.sampled_from([b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\xff\0\0\0WEBPVP8 ", b"BM", b"II*\0",
                     b"MM\0*", b"\0\0\0\x20ftypavif", b"\0\0\0\x0cJXL ", b"<svg", b"%PDF", b"\xff\xfe<"]),
    st.binary(max_size=200),
)  # fmt: skip
def test_any_bytes_after_a_formats_signature_are_kept_or_rejected(start, rest):
    judge(start + rest)


def test_decompression_bombs_do_not_take_the_memory_that_they_declare():
    """Runs in a process of its own, because the peak memory of a process never falls."""
    script = """
import resource, sys
from shared.crawling.judging.inspect import inspect
from shared.crawling.options import Filters
from tests.unit.crawling.judging.pictures import refused_files, text_bomb
files = [(name, data, reason) for name, (data, reason) in refused_files().items() if "bomb" in name or "huge" in name]
assert len(files) >= 4
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name, data, reason in files:
    found = inspect(data, Filters(formats=("jpeg", "png", "gif", "tiff")))
    assert found.reason is reason, (name, found)
assert inspect(text_bomb(), Filters()).format == "png"
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 200_000  # kilobytes
