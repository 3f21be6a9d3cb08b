"""A copy that EXIF rotates is recognised, because hash and measures are those of the picture that a viewer shows."""

import io

import pytest
from PIL import Image

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
from tests.expect import accepted
from tests.unit.crawling.judging.pictures import encoded, picture, saved

ALL = Filters(formats=("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"))
BACK = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""The operation that stores a picture so that each orientation shows it upright."""

NEAR = 4  # bits: the distance up to which images count as near duplicates unless a spec says otherwise
FORMS = {"JPEG": {}, "PNG": {}, "WEBP": {"lossless": True}, "AVIF": {}, "TIFF": {}}


def turned_copy(form: str, orientation: int, size: tuple[int, int], name: str = "chelsea.png") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(picture(size, name).transpose(BACK[orientation]), form, exif=exif, **FORMS[form])


def distance(one: Inspected, other: Inspected) -> int:
    hashes = [int(found.look.perceptual_hash, 16) for found in (one, other)]
    return (hashes[0] ^ hashes[1]).bit_count()


@pytest.mark.parametrize(
    ("form", "size"), [*((form, (300, 200)) for form in FORMS), ("JPEG", (1403, 907)), ("PNG", (701, 453))]
)
@pytest.mark.parametrize("orientation", BACK)
def test_a_copy_rotated_by_exif_has_the_measures_of_the_upright_picture(form, orientation, size):
    upright = inspect(encoded("PNG", size), ALL)
    found = inspect(turned_copy(form, orientation, size), ALL)
    assert isinstance(upright, Inspected)
    assert isinstance(found, Inspected), found
    stored = (found.width, found.height)
    assert (stored[::-1] if found.orientation >= 5 else stored) == size
    assert distance(upright, found) <= NEAR
    assert found.look.brightness == pytest.approx(upright.look.brightness, abs=0.01)


def test_a_picture_that_viewers_show_rotated_is_not_a_copy_of_the_upright_one():
    upright = accepted(inspect(encoded("JPEG", (300, 200)), ALL))
    exif = Image.Exif()
    for orientation in BACK:
        exif[0x0112] = orientation
        shown_turned = accepted(inspect(saved(picture((300, 200)), "JPEG", exif=exif), ALL))
        assert distance(upright, shown_turned) > 10


@pytest.mark.parametrize("behind", [False, True])
def test_a_png_is_measured_upright_at_any_position_of_its_exif(behind):
    upright = accepted(inspect(encoded("PNG"), ALL))
    data = turned_copy("PNG", 6, (320, 240))
    at = data.index(b"eXIf") - 4
    end = at + 12 + int.from_bytes(data[at : at + 4])
    if behind:
        data = data[:at] + data[end:-12] + data[at:end] + data[-12:]
    found = inspect(data, ALL)
    assert isinstance(found, Inspected)
    assert found.orientation == 6
    assert distance(upright, found) <= NEAR
    with Image.open(io.BytesIO(found.data)) as image:
        image.load()
        assert image.getexif()[0x0112] == 6
