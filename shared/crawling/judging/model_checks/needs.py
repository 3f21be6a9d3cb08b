"""Says how many pixels and how much memory models need to look at an image."""

from shared.crawling.judging.inspect import Opened
from shared.crawling.options import CrawlOptions, Transform
from shared.scoring.faces.detector import INPUT_BYTES, MOST_PIXELS, input_side
from shared.scoring.picture_models import PictureModels

_NSFW_SIDE = 448
_NSFW_BYTES = 40_000_000
"""The memory of a classifier of the size of ViT-Base, for one picture."""

_CONVERTED_BYTES = 12
"""The memory for each pixel that is converted to sRGB before the model sees it."""

_MOST_ENLARGED_AREA = 4


def pixels_needed(opened: Opened, options: CrawlOptions, models: PictureModels) -> int:
    """Returns the pixels that the shorter side must have, so that the models see what they can see.

    To blur faces, all pixels of a picture are needed that is not made smaller.
    """
    header, side = opened.header, opened.side
    if models.nsfw is not None:
        side = max(side, _NSFW_SIDE)
    if models.faces is not None:
        side = max(side, input_side(header.width, header.height))
        if options.filters.faces == "blur" and (
            options.transform is None or options.transform.resize is None
        ):
            side = max(header.width, header.height)
    return side


def bytes_needed(opened: Opened, models: PictureModels) -> int:
    """Returns about how many bytes of memory the models take for a picture."""
    needed = 0
    if models.faces is not None:
        pixels = opened.header.width * opened.header.height
        needed += INPUT_BYTES * min(MOST_PIXELS, _MOST_ENLARGED_AREA * pixels)
        if opened.header.profile is not None:
            needed += _CONVERTED_BYTES * min(_MOST_ENLARGED_AREA * MOST_PIXELS, pixels)
    if models.nsfw is not None:
        needed += _NSFW_BYTES
    return needed


def encoding_of(image_format: str, options: CrawlOptions) -> Transform:
    """Returns how a picture with blurred faces is encoded: as the job wishes, or else in its own format.

    A format that is not encoded becomes PNG.
    """
    if options.transform is not None:
        return options.transform
    for same in ("jpeg", "webp"):
        if image_format == same:
            return Transform(format=same)
    return Transform(format="png")
