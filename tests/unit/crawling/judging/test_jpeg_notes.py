"""A JPEG with bad notes is kept, and readers can open the stored file."""

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageOps

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records.records import Reason, Rejected
from tests.corpus.jpeg_writer import segment
from tests.expect import accepted
from tests.unit.crawling.judging.pictures import encoded, profile, turned

WHOLE = encoded("JPEG")
PIXELS = accepted(inspect(WHOLE, Filters(), None)).pixels
PROFILE = profile()


def icc(*parts: tuple[int, int, bytes]) -> bytes:
    """Returns a segment for each part: its number, the declared number of parts, and its content."""
    return b"".join(
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + body) for number, count, body in parts
    )


def noted(notes: bytes, data: bytes = WHOLE) -> bytes:
    return data[:20] + notes + data[20:]


HALVES = PROFILE[:200], PROFILE[200:]
BAD_PROFILES = {
    "a part missing": icc((1, 3, HALVES[0]), (3, 3, HALVES[1])),
    "the last part missing": icc((1, 2, HALVES[0])),
    "number 0": icc((0, 1, PROFILE)),
    "numbers from 0": icc((0, 2, HALVES[0]), (1, 2, HALVES[1])),
    "twice the same part": icc((1, 2, HALVES[0]), (1, 2, HALVES[1])),
    "the whole twice": icc((1, 1, PROFILE), (1, 1, PROFILE)),
    "the last part twice": icc((1, 2, HALVES[0]), (2, 2, HALVES[1]), (2, 2, HALVES[1])),
    "a number above the count": icc((2, 1, PROFILE)),
    "a count of 0": icc((1, 0, PROFILE)),
    "counts that differ": icc((1, 2, HALVES[0]), (2, 3, HALVES[1])),
    "empty": icc((1, 1, b"")),
    "parts that are all empty": icc((1, 2, b""), (2, 2, b"")),
    "without a number": segment(0xE2, b"ICC_PROFILE\0"),
    "without a count": segment(0xE2, b"ICC_PROFILE\0\1"),
    "one without a number beside a sound one": icc((1, 1, PROFILE)) + segment(0xE2, b"ICC_PROFILE\0"),
}  # fmt: skip


def is_kept(data: bytes) -> Inspected:
    """Checks that it is kept with its pixels, in bytes that strict readers and loaders of datasets open."""
    found = inspect(data, Filters(), None)
    assert isinstance(found, Inspected), found
    assert np.array_equal(found.pixels, PIXELS)
    assert simplejpeg.decode_jpeg(found.data, strict=True).shape == (240, 320, 3)
    with Image.open(io.BytesIO(found.data)) as image:
        image.load()
        ImageOps.exif_transpose(image)
        assert image.info.get("icc_profile") == found.profile
    return found


@pytest.mark.parametrize("name", BAD_PROFILES)
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_with_a_bad_profile_is_kept_without_it(name, progressive):
    whole = encoded("JPEG", progressive=progressive)
    found = inspect(noted(BAD_PROFILES[name], whole), Filters(), None)
    assert isinstance(found, Inspected), found
    assert (found.profile, found.data) == (None, whole)
    assert found.mended
    is_kept(noted(BAD_PROFILES[name]))


@pytest.mark.parametrize(
    "parts",
    [
        ((1, 1, PROFILE),),
        ((1, 2, HALVES[0]), (2, 2, HALVES[1])),
        ((2, 2, HALVES[1]), (1, 2, HALVES[0])),
        ((1, 2, PROFILE), (2, 2, b"")),
    ],
)
def test_a_sound_profile_stays_at_any_position(parts):
    before = noted(icc(*parts))
    at = WHOLE.index(b"\xff\xda")
    behind_the_frame = WHOLE[:at] + icc(*parts) + WHOLE[at:]
    for data in (before, behind_the_frame):
        found = accepted(inspect(data, Filters(), None))
        assert (found.profile, found.data) == (PROFILE, data)


BAD_NOTES = {
    "an empty JFIF": segment(0xE0, b""),
    "a short JFIF": segment(0xE0, b"JFIF\0"),
    "another short JFIF": segment(0xE0, b"JFIF\0\1\1\0"),
    "a JFIF whose thumbnail is not there": segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\xff\xff"),
    "an unknown extension of JFIF": segment(0xE0, b"JFXX\0\x99"),
    "an empty Exif": segment(0xE1, b"Exif\0\0"),
    "an Exif that is cut": segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\0"),
    "an Exif that is none": segment(0xE1, b"Exif\0\0what ever"),
    "an Exif of an unknown order": segment(0xE1, b"Exif\0\0XX*\0\x08\0\0\0\0\0"),
    "an Exif that points outside": segment(0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff"),
    "an Exif with one padding byte": segment(0xE1, b"Exif\0" + b"\xffII*\0\x08\0\0\0\0\0"),
    "two Exifs": segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\0\0") * 2,
    "XMP that is no XML": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<<<"),
    "XMP that is not UTF-8": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0\xff\xfe\xff"),
    "an empty XMP": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
    "MPF that is none": segment(0xE2, b"MPF\0what"),
    "an empty MPF": segment(0xE2, b"MPF\0"),
    "IPTC that is none": segment(0xED, b"Photoshop 3.0\0" + b"8BIM\xff\xff\xff\xff\xff\xff"),
    "a short Adobe": segment(0xEE, b"Adobe"),
    "FlashPix that is none": segment(0xE2, b"FPXR\0\xff"),
    "an empty comment": segment(0xFE),
    "a comment that is not UTF-8": segment(0xFE, b"\xff\xfe\xfd"),
    "many comments": segment(0xFE, b"x") * 300,
    "a comment of length 0": b"\xff\xfe\0\0",
    "a comment of length 1": b"\xff\xfe\0\1",
    "an APP of length 0": b"\xff\xe5\0\0",
    "a comment longer than its length": segment(0xFE, b"a comment") + b" that goes on",
    "an APP longer than its length": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0") + b"<x:xmpmeta/>",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("name", BAD_NOTES)
def test_a_jpeg_with_a_bad_note_is_kept(name):
    is_kept(noted(BAD_NOTES[name]))


@pytest.mark.parametrize("name", BAD_NOTES)
@pytest.mark.parametrize("share", [0.4, 0.9])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_cut_is_noticed_in_a_jpeg_with_a_bad_note(name, share):
    data = noted(BAD_NOTES[name])
    cut = data.index(b"\xff\xda") + int(share * len(WHOLE) * 0.9)
    assert isinstance(inspect(data[:cut] + b"\xff\xd9", Filters()), Rejected)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_jpeg_keeps_its_orientation_when_its_exif_is_removed():
    """Readers rotate the picture, and would fail to write the rest of its EXIF again."""
    sound = turned(6)
    at = sound.index(b"Exif\0\0")
    length = int.from_bytes(sound[at - 2 : at])
    bad = b"Exif\0\0II*\0\x08\0\0\0\2\0\x12\1\3\0\1\0\0\0\6\0\0\0\x69\x87\x02\0\4\0\0\0abcd\0\0\0\0"
    data = sound[: at - 4] + segment(0xE1, bad) + sound[at - 2 + length :]
    found = inspect(data, Filters(), None)
    assert isinstance(found, Inspected), found
    assert found.orientation == 6
    with Image.open(io.BytesIO(found.data)) as image:
        assert ImageOps.exif_transpose(image).size == (200, 320)


@pytest.mark.parametrize("code", [0xDB, 0xC4, 0xC0, 0xDD])
def test_a_table_of_a_wrong_length_is_refused(code):
    data = encoded("JPEG", restart_marker_blocks=7)
    at = data.index(bytes([0xFF, code])) + 2
    for length in (0, 1, 2, 3, 9, 0x40):
        found = inspect(data[:at] + length.to_bytes(2) + data[at + 2 :], Filters())
        assert isinstance(found, Rejected), length
        assert found.reason in {Reason.CORRUPT, Reason.TRUNCATED}
