"""Reads single elements of a page, independent of the elements around them."""

import re
from collections.abc import Mapping, Sequence

from shared.sources.fields import text_of
from shared.sources.website.picture import LATER, PLAIN, Picture

MAX_TEXT = 2000
# a wiki's "File:x.jpg" is a page, not an image
_IMAGE_FILE = re.compile(r"/[^/:]*\.(?:jpe?g|png|webp|gif|bmp|tiff?|avif)$", re.IGNORECASE)
_LAZY_SETS = ("data-srcset", "data-lazy-srcset", "data-original-set", "srcset")
_LAZY = (
    "data-orig-file",
    "data-large_image",
    "data-full-src",
    "data-hi-res-src",
    "data-original",
    "data-lazy-src",
    "data-src",
    "data-lazy",
)
type Attributes = Mapping[str, str]


def picture_of(image: Attributes, sources: Sequence[Attributes]) -> Picture:
    """Returns the picture of an img element within a picture element that has these sources.

    Scripts that load pictures late keep the address in an attribute of their own, and a placeholder in `src`.
    """
    picture = Picture(caption=line_of(image.get("alt")))
    for source in sources:
        for name in _LAZY_SETS:
            picture.offer_set(source.get(name), source.get("type", ""))
    for name in _LAZY_SETS:
        picture.offer_set(image.get(name))
    for name in _LAZY:
        picture.offer(image.get(name), LATER)
    picture.offer(image.get("src"), PLAIN)
    return picture


def counts_visitors(image: Attributes) -> bool:
    """Whether the image is so small that its only use is to count visitors."""
    sizes = [image.get(name, "").strip().removesuffix("px") for name in ("width", "height")]
    return all(size in {"0", "1", "2"} for size in sizes)


def relations_of(link: Attributes) -> Sequence[str]:
    """Returns the words of a link's `rel`."""
    return link.get("rel", "").lower().split()


def is_image_file(path: str) -> bool:
    """Whether the path of an address ends like an image file."""
    return _IMAGE_FILE.search(path) is not None


def line_of(text: str | None) -> str | None:
    """Returns a text as it is shown, on one line."""
    return text_of(" ".join((text or "")[: 4 * MAX_TEXT].split()))
