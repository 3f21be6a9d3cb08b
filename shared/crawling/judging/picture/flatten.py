"""Converts any colour model to RGB."""

import numpy as np
from PIL import Image

_WIDE = frozenset({"I;16", "I;16B"})
_CLEAR = frozenset({"P", "PA", "LA", "La", "RGBA", "RGBa"})


def flatten(image: Image.Image) -> Image.Image:
    """Converts the image to 8-bit RGB. Transparent parts become white, and 16-bit grey keeps its upper 8 bits."""
    if image.mode in _WIDE:
        upper = np.asarray(image) >> 8
        return Image.fromarray(upper.astype(np.uint8)).convert("RGB")
    if image.mode in _CLEAR or "transparency" in image.info:
        straight = {"La": "LA", "RGBa": "RGBA"}.get(image.mode)
        rgba = (image.convert(straight) if straight else image).convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return image.convert("RGB")
