"""A copy of a picture that EXIF turns is a copy of it: look and hash are of what a viewer shows."""

import io

import pytest
from PIL import Image

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.options import Filters
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
"""How to store a picture so that the orientation shows it upright again."""

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
def test_a_copy_turned_by_exif_looks_as_the_upright_picture_does(form, orientation, size):
    upright = inspect(encoded("PNG", size), ALL)
    found = inspect(turned_copy(form, orientation, size), ALL)
    assert isinstance(upright, Inspected)
    assert isinstance(found, Inspected), found
    assert found.upright_size == size
    assert distance(upright, found) <= NEAR
    assert found.look.brightness == pytest.approx(upright.look.brightness, abs=0.01)


def test_a_picture_that_is_shown_turned_is_no_copy_of_the_one_that_is_not():
    upright = inspect(encoded("JPEG", (300, 200)), ALL)
    exif = Image.Exif()
    for orientation in BACK:
        exif[0x0112] = orientation
        shown_turned = inspect(saved(picture((300, 200)), "JPEG", exif=exif), ALL)
        assert distance(upright, shown_turned) > 10


@pytest.mark.parametrize("behind", [False, True])
def test_a_turned_png_looks_upright_wherever_its_exif_stands(behind):
    upright = inspect(encoded("PNG"), ALL)
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
