"""Makes the images that the benchmarks crawl: different crops of real photos, kept in a folder for the next run."""

import hashlib
import io
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from playground.azurite import ROOT
from playground.gallery import default_photos

FOLDER = ROOT / ".local" / "bench" / "corpus"
_PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg", "retina.jpg", "rocket.jpg")
# In pixels. Such JPEGs have about 60 KB, like a web photo of medium size.
_SIDES = (500, 700)
_QUALITY = 82


def make_corpus(count: int) -> Sequence[Path]:
    """Returns the paths of `count` JPEGs in one folder: 00000.jpg, 00001.jpg and so on. All cores make missing ones."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    paths = [FOLDER / f"{number:05}.jpg" for number in range(count)]
    missing = [number for number, path in enumerate(paths) if not path.exists()]
    if missing:
        with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            list(pool.map(_make, missing, chunksize=64))
    return paths


def _make(number: int) -> None:
    """Writes image `number`: an enlarged part of a photo. The number decides its place, size, angle and tone."""
    draw = np.random.default_rng(int.from_bytes(hashlib.sha256(f"{number}".encode()).digest()[:8]))
    photo = _photo(_PHOTOS[number % len(_PHOTOS)])
    side = int(draw.integers(180, min(photo.size)))
    left, top = (int(draw.integers(0, length - side + 1)) for length in photo.size)
    patch = photo.crop((left, top, left + side, top + side)).rotate(90 * int(draw.integers(4)))
    if draw.integers(2):
        patch = patch.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    width, height = (int(draw.integers(*_SIDES)) for _ in range(2))
    smooth = np.asarray(patch.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float64)
    # the noise stands for the grain of a sensor
    pixels = smooth * draw.uniform(0.7, 1.1) + draw.normal(0, 6, smooth.shape)
    out = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=_QUALITY)
    # a run that is stopped leaves no half of a file
    unfinished = FOLDER / f"{number:05}.unfinished"
    unfinished.write_bytes(out.getvalue())
    unfinished.replace(unfinished.with_suffix(".jpg"))


@cache
def _photo(name: str) -> Image.Image:
    with Image.open(default_photos() / name) as opened:
        return opened.convert("RGB")
