"""JPEGs with unusual sampling factors are kept if they are sound, and refused if they are damaged."""

import io
import random
import threading
from functools import cache

import numpy as np
import pytest
from PIL import Image

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.corpus.jpeg_writer import Shape, jpeg
from tests.expect import accepted, rejected

UNUSUAL = {
    "2x2 1x1 1x2": ((2, 2), (1, 1), (1, 2)),
    "2x2 2x1 1x1": ((2, 2), (2, 1), (1, 1)),
    "3x1": ((3, 1), (1, 1), (1, 1)),
    "1x3": ((1, 3), (1, 1), (1, 1)),
    "4x2, 4:1:0": ((4, 2), (1, 1), (1, 1)),
    "2x4": ((2, 4), (1, 1), (1, 1)),
    "1x4": ((1, 4), (1, 1), (1, 1)),
    "chroma larger than luma": ((1, 1), (2, 2), (2, 2)),
    "chroma larger across and down": ((1, 1), (2, 1), (1, 2)),
    "cmyk 2111": ((2, 1), (1, 1), (1, 1), (1, 1)),
    "cmyk 1112": ((1, 1), (1, 1), (1, 1), (2, 2)),
}
USUAL = {
    "4:4:4": ((1, 1), (1, 1), (1, 1)),
    "4:2:2": ((2, 1), (1, 1), (1, 1)),
    "4:2:0": ((2, 2), (1, 1), (1, 1)),
    "4:4:0": ((1, 2), (1, 1), (1, 1)),
    "4:1:1": ((4, 1), (1, 1), (1, 1)),
    "1x3 all": ((1, 3), (1, 3), (1, 3)),
    "cmyk": ((1, 1), (1, 1), (1, 1), (1, 1)),
    "grey 2x2": ((2, 2),),
}
SIZE = (160, 136)


@cache
def made(factors, **options) -> bytes:
    return jpeg(Shape(*SIZE, factors, adobe=2 if len(factors) == 4 else None, **options))


def seen_by_pillow(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        pixels = np.asarray(image if image.mode == "CMYK" else image.convert("RGB")).astype(int)
    if pixels.shape[2] == 4:
        pixels = (255 - pixels[:, :, :3]) * (255 - pixels[:, :, 3:]) // 255
    return pixels[:, :, ::-1]


@pytest.mark.parametrize("name", UNUSUAL | USUAL)
@pytest.mark.parametrize("frame", [0xC0, 0xC1, 0xC2])
@pytest.mark.parametrize("restarts", [0, 5])
def test_a_jpeg_with_any_valid_sampling_factors_is_kept(name, frame, restarts):
    data = made((UNUSUAL | USUAL)[name], frame=frame, restarts=restarts)
    found = inspect(data, Filters(), None)
    assert isinstance(found, Inspected), found
    assert (found.width, found.height, found.pixels.shape) == (*SIZE, (SIZE[1], SIZE[0], 3))
    assert np.abs(found.pixels - seen_by_pillow(data)).max() <= 2
    assert found.data == data


@pytest.mark.parametrize("name", UNUSUAL)
def test_a_jpeg_with_unusual_factors_may_have_a_scan_for_each_component(name):
    data = made(UNUSUAL[name], interleaved=False)
    assert np.abs(accepted(inspect(data, Filters(), None)).pixels - seen_by_pillow(data)).max() <= 2


@pytest.mark.parametrize("name", ["2x2 1x1 1x2", "cmyk 2111"])
def test_a_large_jpeg_with_unusual_factors_is_decoded_at_a_smaller_size(name):
    factors = UNUSUAL[name]
    data = jpeg(Shape(1100, 280, factors, adobe=2 if len(factors) == 4 else None))
    small, large = accepted(inspect(data, Filters())), accepted(inspect(data, Filters(), None))
    assert min(small.pixels.shape[:2]) == 280 // 2
    assert small.look.brightness == pytest.approx(large.look.brightness, abs=0.02)


@pytest.mark.parametrize("name", UNUSUAL)
@pytest.mark.parametrize("frame", [0xC0, 0xC2])
@pytest.mark.parametrize("restarts", [0, 5])
def test_a_cut_is_noticed_wherever_it_is(name, frame, restarts):
    data = made(UNUSUAL[name], frame=frame, restarts=restarts)
    start = data.index(b"\xff\xda") + 20
    for cut in (
        *range(start, len(data) - 2, (len(data) - start) // 12),
        *range(len(data) - 14, len(data) - 2),
    ):
        for ending in (b"", b"\xff\xd9"):
            found = inspect(data[:cut] + ending, Filters())
            assert isinstance(found, Rejected), (cut, len(data))
            assert found.reason in {Reason.TRUNCATED, Reason.CORRUPT}


def noticed(data: bytes) -> bool:
    return isinstance(inspect(data, Filters()), Rejected)


@pytest.mark.parametrize("restarts", [0, 5])
@pytest.mark.parametrize("frame", [0xC0, 0xC2])
def test_damage_is_noticed_as_often_with_unusual_factors_as_with_usual_ones(frame, restarts):
    """No decoder notices wrong codes that are valid codes."""
    shares = {}
    for name in ("4:2:0", "2x2 1x1 1x2", "chroma larger than luma"):
        data = made((UNUSUAL | USUAL)[name], frame=frame, restarts=restarts)
        start = data.index(b"\xff\xda") + 20
        chance = random.Random(7)
        found = []
        for _ in range(40):
            damaged = bytearray(data)
            place = chance.randrange(start, len(data) - 2)
            damaged[place : place + 4] = chance.choice(
                (b"", b"\0\0\0\0", chance.randbytes(4), chance.randbytes(5))
            )
            found.append(noticed(bytes(damaged)))
        shares[name] = sum(found) / len(found)
    assert min(shares.values()) > shares["4:2:0"] - 0.15, shares


@pytest.mark.parametrize("name", UNUSUAL)
def test_bytes_left_over_after_the_scan_are_noticed(name):
    data = made(UNUSUAL[name])
    assert noticed(data[:-2] + b"\x55" * 9 + b"\xff\xd9")
    assert noticed(data[:-9] + data[-60:])
    if data[-3]:  # zeros that are codes cannot be told from others
        mended = inspect(data[:-2] + bytes(4) + b"\xff\xd9", Filters())
        assert isinstance(mended, Inspected)
        assert mended.data == data


@pytest.mark.parametrize(
    "factors", [((3, 1), (2, 1), (1, 1)), ((1, 4), (1, 3), (1, 1)), ((2, 1), (3, 1), (3, 1))]
)
def test_the_rejection_of_unsupported_factors_names_them(factors):
    found = rejected(inspect(made(factors), Filters()))
    assert found.reason is Reason.UNSUPPORTED_FORMAT
    assert "sampling factors" in found.detail


@pytest.mark.parametrize("factor", [0x00, 0x10, 0x05, 0x51, 0xFF])
def test_a_jpeg_with_invalid_factors_is_corrupt(factor):
    data = made(USUAL["4:2:0"])
    at = data.index(b"\xff\xc0") + 11
    found = inspect(data[:at] + bytes([factor]) + data[at + 1 :], Filters())
    assert found == Rejected(Reason.CORRUPT, "sampling factors")


def test_a_warning_about_one_file_does_not_affect_files_decoded_at_the_same_time():
    """libvips has one buffer of messages for all threads."""
    sound, damaged = made(UNUSUAL["3x1"]), made(UNUSUAL["3x1"])[:-500] + b"\xff\xd9"
    outcomes: dict[bytes, set[bool]] = {sound: set(), damaged: set()}

    def judge(data: bytes) -> None:
        for _ in range(15):
            outcomes[data].add(noticed(data))

    threads = [threading.Thread(target=judge, args=[data]) for data in (sound, damaged) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {sound: {False}, damaged: {True}}
