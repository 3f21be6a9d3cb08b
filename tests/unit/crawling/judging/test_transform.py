"""A transformed image can be decoded, has the wanted size, is upright and has no metadata."""

import io

import numpy as np
import pytest
from PIL import Image

from shared.crawling.judging.inspect import Inspected, inspect
from shared.crawling.judging.picture.transform import transform as re_encode
from shared.crawling.judging.picture.transform import wanted_side
from shared.crawling.options import Filters, Resize, Transform
from tests.unit.crawling.judging.pictures import (
    clear,
    encoded,
    picture,
    profile,
    saved,
    swapped_profile,
    turned,
    whole_files,
)

ANY = Filters(
    min_width=1,
    min_height=1,
    max_aspect_ratio=1000,
    formats=("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"),
)


def transform(data: bytes, wanted: Transform) -> tuple[bytes, int, int]:
    found = inspect(data, ANY, wanted_side(wanted))
    assert isinstance(found, Inspected), found
    return re_encode(found, wanted)


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"), dtype=np.int16)


@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("name", whole_files())
def test_every_kind_of_file_can_be_re_encoded(name, form):
    data, width, height = transform(
        whole_files()[name][0], Transform(resize=Resize(mode="fill", size=72), format=form)
    )
    found = inspect(data, ANY)
    assert isinstance(found, Inspected), found
    assert (found.format, found.width, found.height, found.mode) == (form, 72, 72, "rgb")
    assert (width, height, found.frames, found.orientation) == (72, 72, 1, 1)


@pytest.mark.parametrize(
    ("mode", "size", "given", "size_then"),
    [
        ("fit", 128, (320, 240), (128, 96)),
        ("fit", 128, (240, 320), (96, 128)),
        ("fit", 128, (100, 50), (100, 50)),
        ("fit", 16, (3000, 20), (16, 1)),
        ("fill", 128, (320, 240), (128, 128)),
        ("fill", 128, (100, 50), (128, 128)),
        ("fill", 4096, (4000, 8), (4096, 4096)),
        ("pad", 128, (320, 240), (128, 128)),
        ("pad", 128, (100, 50), (128, 128)),
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_each_way_to_resize_gives_its_size(mode, size, given, size_then, form):
    data, *told = transform(encoded(form, given), Transform(resize=Resize(mode=mode, size=size)))
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == size_then == tuple(told)


def test_a_transform_without_a_resize_keeps_the_size():
    data, width, height = transform(turned(6), Transform(format="png"))
    assert (width, height) == (200, 320)
    assert pixels(data).shape == (320, 200, 3)


@pytest.mark.parametrize(
    ("form", "given", "size_then"),
    [
        ("webp", (17_000, 200), (16_383, 193)),
        ("webp", (20, 16_384), (20, 16_383)),
        ("webp", (16_383, 20), (16_383, 20)),
        ("jpeg", (66_000, 100), (65_500, 99)),
        ("png", (66_000, 100), (66_000, 100)),
    ],
)
def test_a_picture_too_large_for_the_format_is_scaled_down_to_its_limit(form, given, size_then):
    data, *told = transform(encoded("PNG", given), Transform(format=form))
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == size_then == tuple(told)


def test_padding_is_white():
    padded = pixels(transform(encoded("PNG"), Transform(resize=Resize(mode="pad", size=96), format="png"))[0])
    assert (padded[:11] == 255).all()
    assert (padded[-11:] == 255).all()
    assert padded[48].mean() < 200


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_transformed_photo_is_upright(orientation, form):
    """The stored pixels are those of a rotated photo. The transform makes the photo upright again."""
    stored = picture((320, 200))
    for step in _ways_back(orientation):
        stored = stored.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(stored, form, exif=exif)
    upright, width, height = transform(data, Transform(format="png"))
    assert (width, height) == (320, 200)
    difference = np.abs(pixels(upright) - np.asarray(picture((320, 200)), dtype=np.int16))
    assert difference.mean() < 6


def _ways_back(orientation: int) -> list[Image.Transpose]:
    """Rotates an upright picture so that this orientation shows it upright again (EXIF 2.32, 4.6.5)."""
    ways = Image.Transpose
    return {
        1: [],
        2: [ways.FLIP_LEFT_RIGHT],
        3: [ways.ROTATE_180],
        4: [ways.FLIP_TOP_BOTTOM],
        5: [ways.TRANSPOSE],
        6: [ways.ROTATE_90],
        7: [ways.TRANSVERSE],
        8: [ways.ROTATE_270],
    }[orientation]


@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
def test_a_transformed_image_has_no_metadata(form):
    exif = Image.Exif()
    exif[0x010E] = "SECRET"
    sources = [
        encoded(
            "JPEG", exif=exif, icc_profile=profile(), comment=b"SECRET", xmp=b"<x>SECRET</x>", dpi=(99, 99)
        ),
        encoded("WEBP", exif=exif, icc_profile=profile(), xmp=b"<x>SECRET</x>"),
        saved(clear(), "PNG", exif=exif, icc_profile=profile(), dpi=(99, 99)),
        encoded("PNG", transparency=(9, 9, 9)),
    ]
    for source in sources:
        data, *_ = transform(source, Transform(format=form))
        assert b"SECRET" not in data
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            assert not image.getexif()
            assert not {"icc_profile", "xmp", "exif", "dpi", "comment", "transparency"} & set(image.info)


def test_a_transform_makes_transparent_parts_white():
    for name in ("rgba png", "clear palette png", "clear gif", "rgba webp"):
        data, *_ = transform(whole_files()[name][0], Transform(format="png"))
        left = pixels(data)[:, 10:150]
        assert left.min() > 250, name
        assert pixels(data)[:, 200:].mean() < 200, name


@pytest.mark.parametrize(
    "name", ["16-bit png", "16-bit tiff", "big-endian 16-bit tiff", "cmyk jpeg", "cmyk tiff", "one-bit png"]
)
def test_other_colour_models_keep_their_brightness(name):
    data, *_ = transform(whole_files()[name][0], Transform(resize=Resize(size=64), format="png"))
    grey = np.asarray(picture((64, 48)).convert("L"), dtype=np.int16)
    assert np.abs(pixels(data).mean(axis=2) - grey).mean() < 16


def test_a_transform_converts_colours_to_srgb():
    """The profile swaps red and green, and so does the transform."""
    plain = Image.new("RGB", (64, 64), (200, 60, 30))
    for form in ("PNG", "JPEG"):
        data, *_ = transform(saved(plain, form, icc_profile=swapped_profile()), Transform(format="png"))
        red, green, _ = pixels(data)[32, 32]
        assert green > red + 80
    for broken in (profile()[:200], b"no profile", profile("LAB")):
        data, *_ = transform(saved(plain, "PNG", icc_profile=broken), Transform(format="png"))
        assert tuple(pixels(data)[32, 32]) == (200, 60, 30)


def test_a_lower_quality_makes_smaller_files():
    sizes = [len(transform(encoded("PNG"), Transform(quality=quality))[0]) for quality in (20, 60, 95)]
    assert sizes == sorted(sizes)
    assert sizes[2] > 3 * sizes[0]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "re-encoded as JPEG"),
        ({"resize": {"size": 256}}, "scaled down to fit into 256 by 256 pixels, re-encoded as JPEG"),
        (
            {"resize": {"mode": "fill"}, "format": "webp"},
            "scaled and cut to 512 by 512 pixels, re-encoded as WebP",
        ),
        (
            {"resize": {"mode": "pad"}, "format": "png"},
            "scaled and padded to 512 by 512 pixels, re-encoded as PNG",
        ),
    ],
)
def test_a_transform_describes_its_changes_in_words(wanted, words):
    assert Transform.model_validate(wanted).words == f"{words}, upright, in sRGB, on white, without metadata"
