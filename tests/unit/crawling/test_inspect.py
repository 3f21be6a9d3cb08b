"""Each kind of file ends as what it is."""

import io

import pytest
from PIL import Image

from shared.crawling.inspect import Inspected, inspect
from shared.crawling.options import Filters
from shared.records import Reason, Rejected
from tests.unit.crawling.pictures import encoded, png_header

ALL = Filters(formats=("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"))
FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_known_by_its_bytes(form):
    found = inspect(encoded(form), ALL)
    assert isinstance(found, Inspected), found
    assert (found.format, found.width, found.height) == (form.lower(), 320, 240)
    assert found.look.entropy > 4


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_half_a_file_is_not_an_image(form, share):
    data = encoded(form)
    found = inspect(data[: int(len(data) * share)], ALL)
    assert isinstance(found, Rejected), found
    assert found.reason in {Reason.TRUNCATED, Reason.CORRUPT}


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colour_models_of_jpeg_are_read(mode):
    found = inspect(encoded("JPEG", mode=mode), ALL)
    assert isinstance(found, Inspected)
    assert found.mode == {"L": "grey", "CMYK": "cmyk"}[mode]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<!doctype html><html>", Reason.NOT_AN_IMAGE),
        (b'{"error": "not found"}', Reason.NOT_AN_IMAGE),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", Reason.UNSUPPORTED_FORMAT),
        (b"%PDF-1.7 ...", Reason.UNSUPPORTED_FORMAT),
        (b"\x00" * 100, Reason.NOT_AN_IMAGE),
        (b"\xff\xd8\xff\xe0 nothing more", Reason.CORRUPT),
        (png_header(60_000, 60_000), Reason.TOO_MANY_PIXELS),
        (png_header(1, 1), Reason.TOO_SMALL),
        (png_header(10_000, 100), Reason.ASPECT_RATIO),
        (png_header(1000, 1000), Reason.TRUNCATED),
    ],
)
def test_what_is_sent_in_place_of_an_image_has_its_reason(data, reason):
    found = inspect(data, Filters())
    assert isinstance(found, Rejected), found
    assert found.reason is reason


def test_the_filters_of_the_spec_hold():
    data = encoded("PNG")
    for filters, reason in (
        (Filters(formats=("jpeg",)), Reason.FORMAT_FILTERED),
        (Filters(min_width=321), Reason.TOO_SMALL),
        (Filters(max_aspect_ratio=1.2), Reason.ASPECT_RATIO),
        (Filters(sharpness_min=1e9), Reason.NOT_SHARP),
    ):
        found = inspect(data, filters)
        assert isinstance(found, Rejected)
        assert found.reason is reason


def test_a_turned_photo_is_judged_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    found = inspect(encoded("JPEG", size=(320, 200), exif=exif), Filters(min_height=300))
    assert isinstance(found, Inspected)
    assert (found.orientation, found.upright_size) == (6, (200, 320))


def test_animations_count_their_frames():
    frames = [Image.new("RGB", (80, 80), (shade, 90, 20)) for shade in (10, 90, 200)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    found = inspect(out.getvalue(), ALL)
    assert isinstance(found, Inspected)
    assert found.frames == 3


def test_the_perceptual_hash_bears_re_encoding_and_tells_pictures_apart():
    def distance(a, b):
        return (int(a.look.perceptual_hash, 16) ^ int(b.look.perceptual_hash, 16)).bit_count()

    whole = inspect(encoded("JPEG", quality=95), ALL)
    again = inspect(encoded("JPEG", quality=40), ALL)
    small = inspect(encoded("WEBP", size=(240, 180)), ALL)
    mirrored = inspect(_mirrored(), ALL)
    assert distance(whole, again) <= 4
    assert distance(whole, small) <= 4
    assert distance(whole, mirrored) > 12


def _mirrored() -> bytes:
    with Image.open(io.BytesIO(encoded("PNG"))) as image:
        out = io.BytesIO()
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(out, "PNG")
    return out.getvalue()
