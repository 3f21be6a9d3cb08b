"""Transformed images look as the originals do to a viewer, in the size and format that were asked for."""

import io
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from shared.crawling.inspect import Inspected, inspect
from shared.crawling.options import Filters, Resize, Transform
from shared.crawling.transform import transform, wanted_side

_here = runpy.run_path(str(Path(__file__).with_name("conftest.py")))
encoded = _here["encoded"]

ALL = Filters(min_width=1, min_height=1, formats=("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"))


def transformed(data, wanted):
    found = inspect(data, ALL, wanted_side(wanted))
    assert isinstance(found, Inspected), found
    out, width, height = transform(found, wanted)
    with Image.open(io.BytesIO(out)) as image:
        image.load()
        assert image.size == (width, height)
        assert image.format == wanted.format.upper()
        assert not image.getexif()
        assert "icc_profile" not in image.info
        return image.convert("RGB")


def difference(one, other):
    """The mean difference of two pictures' values, 0 to 255, after a blur that forgives other ways to resize."""
    assert one.size == other.size
    small = (max(1, one.width // 4), max(1, one.height // 4))
    a, b = (np.asarray(image.resize(small, Image.Resampling.BOX), np.int16) for image in (one, other))
    return float(np.abs(a - b).mean())


@pytest.mark.parametrize(("mode", "size"), [("fit", (128, 96)), ("fill", (128, 128)), ("pad", (128, 128))])
@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_every_mode_and_format_gives_the_size_and_picture_that_were_asked_for(mode, size, form, kind):
    data = encoded(kind)
    made = transformed(data, Transform(resize=Resize(mode=mode, size=128), format=form))
    assert made.size == size
    with Image.open(io.BytesIO(data)) as opened:
        image = opened.convert("RGB")
    expected = {
        "fit": lambda: ImageOps.contain(image, (128, 128)),
        "fill": lambda: ImageOps.fit(image, (128, 128)),
        "pad": lambda: ImageOps.pad(image, (128, 128), color="white"),
    }[mode]()
    assert difference(made, expected) < 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_turned_photo_is_turned_upright(orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(kind, size=(320, 200), exif=exif)
    made = transformed(data, Transform(format="png"))
    with Image.open(io.BytesIO(data)) as opened:
        expected = ImageOps.exif_transpose(opened).convert("RGB")
    assert difference(made, expected) < 2


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_other_colour_models_keep_their_colours(mode):
    data = encoded("JPEG", mode=mode)
    made = transformed(data, Transform(format="png"))
    with Image.open(io.BytesIO(data)) as opened:
        assert difference(made, opened.convert("RGB")) < 2


def test_transparency_goes_to_white():
    out = io.BytesIO()
    Image.new("RGBA", (80, 80), (200, 0, 0, 0)).save(out, "PNG")
    made = transformed(out.getvalue(), Transform(format="jpeg"))
    assert np.asarray(made).min() > 250


def test_a_small_image_is_padded_to_size_and_never_blown_up_to_fit():
    data = encoded("JPEG", size=(100, 70))
    assert transformed(data, Transform(resize=Resize(mode="fit", size=512))).size == (100, 70)
    assert transformed(data, Transform(resize=Resize(mode="pad", size=512))).size == (512, 512)


def test_colours_of_another_profile_become_srgb():
    """A profile whose red and blue are swapped makes a red picture look blue."""
    swapped = _swapped_profile()
    out = io.BytesIO()
    Image.new("RGB", (80, 80), (220, 30, 30)).save(out, "PNG", icc_profile=swapped)
    red, _, blue = (
        np.asarray(transformed(out.getvalue(), Transform(format="png"))).reshape(-1, 3).mean(axis=0)
    )
    assert blue > 180
    assert red < 100


def test_a_broken_profile_changes_nothing():
    out = io.BytesIO()
    Image.new("RGB", (80, 80), (220, 30, 30)).save(out, "PNG", icc_profile=b"no profile at all")
    made = np.asarray(transformed(out.getvalue(), Transform(format="png")))
    assert made.reshape(-1, 3).mean(axis=0).round().tolist() == [220, 30, 30]


def _swapped_profile():
    """The sRGB profile with the tags of its red and blue primaries exchanged, under a name of its own."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile = profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    red, blue = profile.find(b"rXYZ"), profile.find(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)
