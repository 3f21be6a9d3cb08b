"""Only JPEGs that the scaled decoder can scale reach it, so no JPEG crashes the process."""

import subprocess
import sys

import numpy as np
import pytest

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.judging.jpeg.decode import decode_jpeg
from shared.crawling.judging.jpeg.header import JpegHeader, read_jpeg_header
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.corpus.jpeg_writer import Shape, jpeg, lossless, segment, with_frame, with_more_frames
from tests.expect import accepted
from tests.unit.crawling.judging.fuzz_jpegs import fuzz
from tests.unit.crawling.judging.pictures import encoded, picture, saved

SHAPE = Shape(300, 300, ((1, 1),) * 3)
SOUND = jpeg(SHAPE)
LOSSLESS = lossless(300, 300, 3)
FRAME = SHAPE.frame_header()
LOSSLESS_FRAME = FRAME.replace(b"\xff\xc0", b"\xff\xc3")


def behind(marker: bytes, data: bytes = LOSSLESS) -> bytes:
    return data[:2] + marker + data[2:]


def test_a_lossless_jpeg_is_named_and_reaches_no_decoder():
    assert inspect(LOSSLESS, Filters()) == Rejected(Reason.UNSUPPORTED_FORMAT, "lossless JPEG")
    assert inspect(LOSSLESS, Filters(), None) == Rejected(Reason.UNSUPPORTED_FORMAT, "lossless JPEG")


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        (0xC3, "lossless JPEG"),
        (0xC5, "hierarchical JPEG"),
        (0xC6, "hierarchical JPEG"),
        (0xC7, "hierarchical lossless JPEG"),
        (0xC8, "JPEG with extensions"),
        (0xC9, "arithmetic-coded JPEG"),
        (0xCA, "arithmetic-coded progressive JPEG"),
        (0xCB, "arithmetic-coded lossless JPEG"),
        (0xCD, "arithmetic-coded hierarchical JPEG"),
        (0xCE, "arithmetic-coded hierarchical JPEG"),
        (0xCF, "arithmetic-coded hierarchical lossless JPEG"),
        (0xDE, "hierarchical JPEG"),
        (0xDF, "hierarchical JPEG"),
        (0xF7, "JPEG-LS"),
    ],
)
def test_the_rejection_of_an_unsupported_process_names_it(frame, name):
    for data in (with_frame(SOUND, frame), with_frame(jpeg(Shape(300, 300, ((1, 1),))), frame)):
        assert inspect(data, Filters()) == Rejected(Reason.UNSUPPORTED_FORMAT, name)


@pytest.mark.parametrize("frame", [0xC0, 0xC1, 0xC2])
@pytest.mark.parametrize("components", [1, 3, 4])
def test_sequential_and_progressive_jpegs_are_kept(frame, components):
    found = inspect(jpeg(Shape(300, 300, ((1, 1),) * components, frame)), Filters())
    assert isinstance(found, Inspected), found


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (jpeg(Shape(300, 300, ((1, 1),) * 3, 0xC1, bits=12)), "JPEG of 12 bits"),
        (jpeg(Shape(300, 300, ((1, 1),), bits=16)), "JPEG of 16 bits"),
        (jpeg(Shape(300, 300, ((1, 1),) * 2)), "JPEG of 2 components"),
        (SOUND.replace(FRAME, SHAPE.frame_header().replace(b"\1\x2c\1\x2c", b"\0\0\1\x2c"))[:-2]
         + b"\xff\xdc\0\4\1\x2c\xff\xd9", "JPEG that declares its height after its scan"),
    ],
)  # fmt: skip
def test_the_rejection_of_an_unsupported_jpeg_names_the_cause(data, detail):
    assert inspect(data, Filters()) == Rejected(Reason.UNSUPPORTED_FORMAT, detail)


HIDDEN = {
    "two frames": with_more_frames(SHAPE, 0xC3),
    "two frames, the first one sound": SOUND.replace(FRAME, FRAME + LOSSLESS_FRAME),
    "the same frame twice": SOUND.replace(FRAME, FRAME * 2),
    "another size first": with_more_frames(SHAPE, 0xC0).replace(b"\1\x2c\1\x2c", b"\0\x10\0\x10", 1),
    "behind fill bytes": LOSSLESS.replace(b"\xff\xc3", b"\xff" * 9 + b"\xc3"),
    "behind stray bytes": LOSSLESS.replace(b"\xff\xc3", b"\0\1\xff\0\xff\xc3"),
    "behind restarts": LOSSLESS.replace(b"\xff\xc3", b"\xff\xd0\xff\xd7\xff\xc3"),
    "behind a marker that stands alone": LOSSLESS.replace(b"\xff\xc3", b"\xff\1\xff\xc3"),
    "behind a note without a length": behind(b"\xff\xfe\0\0"),
    "behind a note of one byte": behind(b"\xff\xe5\0\1"),
    "behind a sound thumbnail": behind(segment(0xE1, b"Exif\0\0" + saved(picture((64, 48)), "JPEG"))),
    "behind a frame in a note": behind(segment(0xFE, FRAME)),
    "behind a note that ends in FF": behind(segment(0xFE, b"\xff")),
    "behind a note that says it is longer": behind(b"\xff\xfe\0\x04" + FRAME),
    "behind an end": behind(b"\xff\xd9"),
    "behind a whole picture": behind(SOUND[2:-2] + b"\xff\xd9"),
    "behind a start": behind(b"\xff\xd8"),
    "behind a table of no length": behind(b"\xff\xdb\0\2"),
    "behind a table that ends within it": behind(b"\xff\xc4\0\x20" + bytes(20)),
    "behind the first scan": SOUND[:-2] + LOSSLESS[2:],
    "in the place of its scan": SOUND.replace(b"\xff\xda", LOSSLESS_FRAME + b"\xff\xda", 1),
    "as DNL": behind(b"\xff\xdc\0\4\0\x10"),
    "behind JPEG-LS": behind(segment(0xF8, bytes(11))),
    "of a thumbnail": SOUND[:2] + segment(0xE1, b"Exif\0\0" + LOSSLESS) + SOUND[2:],
}  # fmt: skip

JUDGE = """
import sys
from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from tests.unit.crawling.judging.test_jpeg_processes import HIDDEN
any_size = Filters(min_width=1, min_height=1, max_aspect_ratio=1000)
for name, data in HIDDEN.items():
    for _ in range(20):
        for side in (1, 300, None):
            found = inspect(data, any_size, side)
    print(name, getattr(found, "reason", "kept"), sep=": ")
"""


def test_a_hidden_lossless_frame_crashes_no_process():
    run = subprocess.run([sys.executable, "-c", JUDGE], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert run.returncode == 0, run.stderr
    outcomes = dict(line.split(": ") for line in run.stdout.splitlines())
    assert outcomes.keys() == HIDDEN.keys()
    sound = {"behind a whole picture", "of a thumbnail"}
    assert {name for name, outcome in outcomes.items() if outcome == "kept"} <= sound
    assert outcomes["of a thumbnail"] == "kept"


TRUSTING = """
import simplejpeg
from shared.crawling.judging.jpeg.decode import _decode
from shared.crawling.judging.jpeg.header import JpegHeader
from tests.unit.crawling.judging.test_jpeg_processes import LOSSLESS
header = JpegHeader(300, 300, 3, False, 1, None, True)
for side in [1, 16, 32, 64, 128, 299] * 20:
    try:
        _decode(LOSSLESS, header, side)
    except ValueError:
        pass
print("alive")
"""


def test_the_buffer_of_the_scaled_decoder_holds_a_picture_of_full_size():
    """The decoder gets a lossless file and a header that declares another process."""
    run = subprocess.run([sys.executable, "-c", TRUSTING], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert (run.returncode, run.stdout) == (0, "alive\n"), run.stderr


def test_a_jpeg_whose_size_the_decoder_reads_differently_is_not_decoded():
    header = read_jpeg_header(SOUND)
    assert isinstance(header, JpegHeader)
    other = JpegHeader(100, 100, 3, adobe=False, orientation=1, profile=None, one_scan=True)
    with pytest.raises(ValueError, match="two ways"):
        decode_jpeg(SOUND, other, 32)


@pytest.mark.parametrize("mess", [b"\xff\xff\xff", b"\0\1\xff\0", b"\xff\xd3", b"\xff\1", b"\xff\xfe\0\0"])
def test_all_decoders_read_a_jpeg_with_odd_segments_in_the_same_way(mess):
    whole = encoded("JPEG")
    found = inspect(whole[:20] + mess + whole[20:], Filters(), None)
    assert isinstance(found, Inspected), found
    assert np.array_equal(found.pixels, accepted(inspect(whole, Filters(), None)).pixels)
    assert found.data == whole


def test_a_forged_header_crashes_no_process():
    """Judges some of the files of `make fuzz`."""
    outcomes, deaths = fuzz(0, 1000)
    assert deaths == []
    assert outcomes.total() == 1000
    assert outcomes["kept"] > 100
    assert outcomes["unsupported_format"] > 100
