"""Pictures that are mostly of one colour, for tests with the model of `tiny_models`."""

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

COLORS: Mapping[str, tuple[int, int, int]] = {
    "red": (230, 40, 40),
    "green": (40, 200, 60),
    "blue": (40, 60, 220),
    "yellow": (220, 210, 40),
}


def colored(color: str, seed: int = 0, kind: str = "PNG", size: tuple[int, int] = (96, 72)) -> bytes:
    """Returns a picture of grey noise with a disc of the color, which covers from a third to two thirds of it."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(60, 200, (*size[::-1], 1), np.uint8).repeat(3, axis=2)
    rows, columns = np.ogrid[: size[1], : size[0]]
    across = (columns / size[0] - rng.uniform(0.4, 0.6)) ** 2 + (rows / size[1] - rng.uniform(0.4, 0.6)) ** 2
    pixels[across < rng.uniform(0.33, 0.66) / np.pi] = np.array(COLORS[color]) + rng.integers(-30, 20, 3)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()
