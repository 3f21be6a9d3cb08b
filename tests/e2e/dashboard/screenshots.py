"""The screenshots of README and docs: what they show, how large they are, and photos for them."""

import io
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from aiohttp import web
from PIL import Image

from playground.azurite import ROOT
from playground.gallery import default_photos

FOLDER: Final = ROOT / "docs" / "images"
"""Where the screenshots of the documents are."""

_WIDE, _PHONE = (1280, 860), (375, 812)
# high enough for two rows of pictures, and for the labels and reasons of a job
_WALL, _LONG = (1280, 1010), (1280, 1400)
_QUALITY = 80
# the photo of each label, and how many crops of it are in the list
_PHOTOS: Mapping[str, tuple[str, int]] = {
    "cat": ("chelsea.png", 14),
    "coffee": ("coffee.png", 13),
    "rocket": ("rocket.jpg", 12),
    "astronaut": ("astronaut.png", 11),
    "coins": ("coins.png", 10),
    "galaxies": ("hubble_deep_field.jpg", 9),
    "motorcycle": ("motorcycle_left.png", 8),
    "moon": ("moon.png", 7),
}
_LICENSES = ("cc0", "by", "by-sa")
_BROKEN = {
    "cut.jpg": "cat",
    "page.jpg": "coffee",
    "gone.jpg": "rocket",
    "small.jpg": "cat",
    "small2.jpg": "galaxies",
}


@dataclass(frozen=True, slots=True)
class Shot:
    """One screenshot: of a view, on a screen of this size, in light or dark."""

    view: str
    size: tuple[int, int]
    scheme: str

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.view}{'-phone' if self.size == _PHONE else ''}-{self.scheme}.webp"


SHOTS: Final = (
    *(Shot("dataset", size, scheme) for size in (_WALL, _PHONE) for scheme in ("light", "dark")),
    Shot("job", _LONG, "light"),
    Shot("job", _PHONE, "light"),
    Shot("new", _WIDE, "dark"),
    Shot("picture", _WIDE, "light"),
)
"""All screenshots."""


def convert(image: Path, folder: Path) -> Path:
    """Stores an image as a small WebP of the same name in a folder."""
    made = folder / f"{image.stem}.webp"
    with Image.open(image) as opened:
        opened.convert("RGB").save(made, "WEBP", quality=_QUALITY, method=6)
    return made


def check(shot: Shot, file: Path) -> None:
    """Checks that the file is a picture of the size and colours of the screenshot.

    Raises:
        AssertionError: it is not.
    """
    with Image.open(file, formats=["WEBP"]) as opened:
        pixels = np.asarray(opened.convert("L"), np.float64)
    assert pixels.shape[::-1] == shot.size, (
        f"{file.name} has another size; make it again with make screenshots"
    )
    assert pixels.std() > 8, f"{file.name} is blank"
    if shot.view != "picture":
        # most of a page is paper
        assert (np.median(pixels) > 128) == (shot.scheme == "light"), f"{file.name} has the wrong colours"


def items(base: str) -> Iterator[dict[str, Any]]:
    """Yields the items of a list of URLs: crops of real photos, copies of them, and files that are no images.

    The labels take turns, so that a wall of pictures shows all of them.
    """
    for number in range(max(count for _, count in _PHOTOS.values())):
        for label in [label for label, (_, count) in _PHOTOS.items() if number < count]:
            yield {
                "url": f"{base}/{label}/{number}.jpg",
                "label": label,
                "title": f"{label.capitalize()} {number + 1}",
                "creator": "The scikit-image contributors",
                "page_url": "https://scikit-image.org/docs/stable/api/skimage.data.html",
                "license": _LICENSES[number % len(_LICENSES)],
            }
    for label in _PHOTOS:
        yield {"url": f"{base}/{label}/0.jpg?copy", "label": label}
    for name, label in _BROKEN.items():
        yield {"url": f"{base}/broken/{name}", "label": label}


def photos() -> web.Application:
    """Returns a server of the items."""
    app = web.Application()
    app.router.add_get(r"/{label}/{number:\d+}.jpg", _photo)
    app.router.add_get("/broken/{name}", _broken)
    return app


async def _photo(request: web.Request) -> web.Response:
    data = _crop(request.match_info["label"], int(request.match_info["number"]))
    return web.Response(body=data, content_type="image/jpeg")


async def _broken(request: web.Request) -> web.Response:
    match request.match_info["name"]:
        case "cut.jpg":
            return web.Response(body=_crop("cat", 0)[:9000], content_type="image/jpeg")
        case "page.jpg":
            return web.Response(
                text="<!doctype html><title>Not here any more</title>", content_type="text/html"
            )
        case "gone.jpg":
            return web.Response(status=404)
        case _:
            return web.Response(body=_small(), content_type="image/jpeg")


@lru_cache(maxsize=200)
def _crop(label: str, number: int) -> bytes:
    """Returns an upright crop of the label's photo. The number decides its place and size."""
    with Image.open(default_photos() / _PHOTOS[label][0]) as opened:
        image = opened.convert("RGB")
    draw = random.Random(f"{label} {number}")
    share = 0.55 + 0.4 * draw.random()
    width, height = int(image.width * share), int(image.height * share)
    left, top = draw.randint(0, image.width - width), draw.randint(0, image.height - height)
    return _jpeg(image.crop((left, top, left + width, top + height)))


def _small() -> bytes:
    return _jpeg(Image.new("RGB", (24, 24), (90, 120, 150)))


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()
