"""What a picture looks like, in numbers, all from one small thumbnail."""

from dataclasses import dataclass

import cv2
import numpy as np

from shared.crawling.pixels import Pixels, reduced, scaled

THUMBNAIL = 128
"""Pixels of the shorter side below which a picture need not be decoded for its look."""

_TINY = 32
_HASH_BITS = 8


@dataclass(frozen=True, slots=True)
class Look:
    """See `shared.records.ImageFacts` for the units."""

    perceptual_hash: str
    sharpness: float
    brightness: float
    contrast: float
    entropy: float
    dominant_color: str


def look_at(pixels: Pixels) -> Look:
    """The look of a BGR picture (height, width, 3), uint8."""
    pixels = reduced(pixels, THUMBNAIL)
    height, width = pixels.shape[:2]
    scale = min(1.0, THUMBNAIL / min(height, width))
    small = scaled(pixels, max(1, round(width * scale)), max(1, round(height * scale)))
    tiny = np.asarray(cv2.resize(pixels, (_TINY, _TINY), interpolation=cv2.INTER_AREA), np.uint8)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)
    mean, deviation = cv2.meanStdDev(grey)
    _, edges = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return Look(
        perceptual_hash=f"{_perceptual_hash(tiny):016x}",
        sharpness=round(float(edges[0][0]) ** 2, 2),
        brightness=round(float(mean[0][0]) / 255, 4),
        contrast=round(float(deviation[0][0]) / 255, 4),
        entropy=round(_entropy(grey), 3),
        dominant_color=_dominant_color(tiny),
    )


def _perceptual_hash(tiny: Pixels) -> int:
    """The DCT hash ("pHash") of 64 bits: signs of the lowest 8x8 frequencies of a 32x32 picture about their median.

    Source: C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, chapter 3.2.1.
    """
    square = cv2.cvtColor(tiny, cv2.COLOR_BGR2GRAY).astype(np.float32)
    low = cv2.dct(square)[:_HASH_BITS, :_HASH_BITS].ravel()
    bits = low > np.sort(low[1:])[31]  # their median; the mean brightness, at [0], tells nothing
    return int.from_bytes(np.packbits(bits).tobytes())


def _entropy(grey: Pixels) -> float:
    counts = np.bincount(grey.ravel(), minlength=256)
    shares = counts[counts > 0] / grey.size
    return float(-(shares * np.log2(shares)).sum())


def _dominant_color(tiny: Pixels) -> str:
    """The mean colour of the fullest cell of a 16x16x16 colour cube."""
    colors = tiny.reshape(-1, 3)
    cube = (
        (colors[:, 0] >> 4).astype(np.int32) << 8
        | (colors[:, 1] >> 4).astype(np.int32) << 4
        | colors[:, 2] >> 4
    )
    fullest = np.bincount(cube, minlength=4096).argmax()
    blue, green, red = colors[cube == fullest].mean(axis=0)
    return f"#{round(red):02x}{round(green):02x}{round(blue):02x}"
