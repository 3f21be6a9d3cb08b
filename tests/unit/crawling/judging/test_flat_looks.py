"""Pictures without contrast have no perceptual hash. Hashes distinguish pictures of little contrast."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from shared.crawling.judging.inspect import inspect
from shared.crawling.options import Filters
from tests.expect import accepted
from tests.unit.crawling.judging.pictures import picture, saved

ALL = Filters(formats=("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"))


def hash_of(image: Image.Image, form: str = "PNG", **options: object) -> str:
    return accepted(inspect(saved(image, form, **options), ALL)).look.perceptual_hash


def distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def symbol(shape: str, mode: str = "RGBA") -> Image.Image:
    image = Image.new("RGBA", (200, 200), (255, 255, 255, 0))
    draw = ImageDraw.Draw(image)
    getattr(draw, shape)((40, 60, 150, 140), fill=(255, 255, 255, 255))
    return image.convert(mode)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF", "JPEG", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize("color", ["white", "black", "#7f8081", "#c81e28", "#0ac85a", "#010203"])
def test_pictures_of_one_colour_have_no_hash(form, color):
    assert hash_of(Image.new("RGB", (300, 200), color), form) == ""


@pytest.mark.parametrize("shape", ["ellipse", "rectangle"])
@pytest.mark.parametrize(
    ("form", "mode"), [("PNG", "RGBA"), ("PNG", "LA"), ("WEBP", "RGBA"), ("GIF", "RGBA")]
)
def test_white_symbols_on_transparency_have_no_hash(shape, form, mode):
    assert hash_of(symbol(shape, mode), form) == ""


def test_colours_of_one_grey_have_no_hash():
    """Half of the picture is red and half is green, with the same luma, so the grey picture is flat."""
    image = Image.new("RGB", (200, 200), (160, 60, 60))
    image.paste((60, 111, 60), (0, 0, 100, 200))
    grey = np.asarray(image.convert("L"))
    assert np.ptp(grey.astype(int)) == 0
    assert hash_of(image) == ""


@pytest.mark.parametrize("levels", [4, 16])
def test_hashes_distinguish_pictures_of_little_contrast(levels):
    def faint(name: str) -> Image.Image:
        return picture((400, 300), name).convert("L").point(lambda value: 120 + value * levels // 256)

    one, other = faint("chelsea.png"), faint("coffee.png")
    assert hash_of(one)
    assert distance(hash_of(one), hash_of(one.resize((300, 225)))) <= 8
    assert distance(hash_of(one), hash_of(other)) > 8


def test_pictures_of_a_speck_in_different_places_have_different_hashes():
    hashes = []
    for place in [(5, 9), (40, 44), (60, 3)]:
        image = Image.new("L", (64, 64), 200)
        image.putpixel(place, 0)
        hashes.append(hash_of(image))
    assert all(hashes)
    assert min(distance(hashes[0], hashes[1]), distance(hashes[0], hashes[2])) > 8


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_different_gradients_have_different_hashes(mode):
    ramp = Image.linear_gradient("L").resize((300, 200))
    across = Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90).resize((300, 200))
    hashes = [hash_of(image.convert(mode)) for image in (ramp, across)]
    assert all(hashes)
    assert distance(*hashes) > 8
    assert hash_of(ramp.convert(mode), "WEBP", lossless=True) == hashes[0]


def test_a_symbol_that_can_be_seen_on_white_has_a_hash():
    image = symbol("ellipse")
    black = Image.merge("RGBA", (*[Image.new("L", image.size)] * 3, image.getchannel("A")))
    out = io.BytesIO()
    black.save(out, "PNG")
    assert accepted(inspect(out.getvalue(), ALL)).look.perceptual_hash
