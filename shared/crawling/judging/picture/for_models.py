"""Makes the picture that models see after an image is judged."""

from typing import Final

import numpy as np

from shared.crawling.judging.inspect import Inspected
from shared.crawling.judging.picture.color import to_srgb
from shared.crawling.judging.picture.pixels import make_upright, reduce, scale
from shared.scoring.scorer import Picture

SIDE: Final = 384
"""The pixels that the shorter side has at most, and the pixels that are decoded at least if the image has them.

Most models that map pictures and texts to vectors see 224 to 384 pixels.
"""

_MAX_RATIO = 4


def picture_for_models(found: Inspected) -> Picture:
    """Returns the picture upright, in sRGB, red first: 1.8 MB at most.

    Its longer side has at most four times `SIDE` pixels. So a picture that is longer than that is scaled down further.
    """
    pixels = reduce(found.pixels, SIDE)
    height, width = pixels.shape[:2]
    ratio = min(1.0, SIDE / min(height, width), _MAX_RATIO * SIDE / max(height, width))
    pixels = scale(pixels, max(1, round(width * ratio)), max(1, round(height * ratio)))
    if found.profile is not None:
        pixels = to_srgb(pixels, found.profile)
    return np.ascontiguousarray(make_upright(pixels, found.orientation)[..., ::-1])
