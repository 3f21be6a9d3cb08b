"""Measures how a picture looks, on one small thumbnail: perceptual hash, sharpness, brightness and others.

The code makes few calls of compiled code. Each call releases the interpreter's lock and takes it again, which costs
more than the computation if several threads work.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from shared.crawling.judging.picture.pixels import Pixels, make_upright, reduce, scale

type Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

THUMBNAIL = 128
"""The pixels of the shorter side that these measures need. A picture need not be decoded to more."""

_TINY = 32
_HASH_BITS = 8
_LEAST_CONTRAST = 0.25
"""The least standard deviation of the tiny picture, in grey levels, for a hash.

A picture of one colour has at most 0.06 after encoding. Up to 0.3 a hash is made of rounding errors. In tests, it
matched no copy of another size.
"""

_COLOR_SAMPLES = 24
_CELL_STEPS = np.asarray((256, 16, 1), np.float32)
"""What one step of blue, green and red adds to the number of a cell of the colour cube."""

_LEVELS = np.arange(256.0)
_SQUARES = _LEVELS * _LEVELS


def _dct_rows() -> Floats:
    """Returns the rows of the lowest frequencies of the orthonormal DCT-II matrix."""
    frequency, place = np.ogrid[:_HASH_BITS, :_TINY]
    rows = np.cos(np.pi * (2 * place + 1) * frequency / (2 * _TINY)) * np.sqrt(2 / _TINY)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)


_DCT = _dct_rows()
_DCT_TURNED = np.ascontiguousarray(_DCT.T)


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture looks, in numbers. `shared.records.facts.ImageFacts` has their units."""

    perceptual_hash: str
    sharpness: float
    brightness: float
    contrast: float
    entropy: float
    dominant_color: str


def measure_look(pixels: Pixels, orientation: int = 1) -> Look:
    """Measures a BGR picture (height, width, 3), uint8, as a viewer shows it with its EXIF orientation."""
    pixels = make_upright(reduce(pixels, THUMBNAIL), orientation)
    height, width = pixels.shape[:2]
    ratio = min(1.0, THUMBNAIL / min(height, width))
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)
    small = scale(grey, max(1, round(width * ratio)), max(1, round(height * ratio)))
    counts = np.asarray(cv2.calcHist([small], [0], None, [256], [0, 256]), np.float64).ravel()
    mean = float(counts @ _LEVELS) / small.size
    variance = max(0.0, float(counts @ _SQUARES) / small.size - mean * mean)
    return Look(
        perceptual_hash=_perceptual_hash(grey),
        sharpness=round(_edge_variance(small), 2),
        brightness=round(mean / 255, 4),
        contrast=round(variance**0.5 / 255, 4),
        entropy=round(_entropy(counts, small.size), 3),
        dominant_color=_dominant_color(pixels),
    )


def _perceptual_hash(grey: Pixels) -> str:
    """Returns the DCT hash ("pHash") as 16 hexadecimal digits, or "" for a picture without contrast.

    Each of the 64 bits says whether one of the lowest 8x8 frequencies of the 32x32 picture is above their median.

    Source: C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, chapter 3.2.1.
    """
    half = reduce(grey, 2 * _TINY)
    tiny = np.asarray(cv2.resize(half, (_TINY, _TINY), interpolation=cv2.INTER_AREA), np.float32)
    _, contrast = cv2.meanStdDev(tiny)
    if contrast[0][0] < _LEAST_CONTRAST:
        return ""
    low = (_DCT @ tiny @ _DCT_TURNED).ravel()
    # the median is of all but low[0], which is the mean brightness
    bits = low > np.sort(low[1:])[31]
    return np.packbits(bits).tobytes().hex()


def _edge_variance(grey: Pixels) -> float:
    """Returns the variance of the picture's Laplacian. Two sums take a third of the time of `cv2.meanStdDev`."""
    edges = cv2.Laplacian(grey, cv2.CV_16S)
    mean = cv2.sumElems(edges)[0] / edges.size
    return max(0.0, cv2.norm(edges, cv2.NORM_L2SQR) / edges.size - mean * mean)


def _entropy(counts: np.ndarray[tuple[int, ...], np.dtype[np.float64]], pixels: int) -> float:
    """Returns the entropy in bits. `counts` is the histogram of the grey levels, and `pixels` the number of pixels."""
    # a level without pixels adds 0, and so does a level with one pixel
    return abs(math.log2(pixels) - float(counts @ np.log2(np.maximum(counts, 1))) / pixels)


def _dominant_color(pixels: Pixels) -> str:
    """Returns a mean colour as #rrggbb. It is that of the fullest cell of a 16x16x16 colour cube.

    The cube counts pixels at regular distances over the whole picture.
    """
    height, width = pixels.shape[:2]
    spread = pixels[:: max(1, height // _COLOR_SAMPLES), :: max(1, width // _COLOR_SAMPLES)].reshape(-1, 3)
    # the numbers are small, so that 32-bit floats are exact, and NumPy multiplies them fastest
    cells = ((spread >> 4).astype(np.float32) @ _CELL_STEPS).astype(np.intp)
    counts = np.bincount(cells)
    fullest = int(counts.argmax())
    number = int(counts[fullest])
    sums = (cells == fullest).astype(np.float32) @ spread.astype(np.float32)
    blue, green, red = (round(total / number) for total in sums.tolist())
    return f"#{red:02x}{green:02x}{blue:02x}"
