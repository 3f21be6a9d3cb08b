"""Colour profiles: what an image's numbers mean, and how they become sRGB, which is what all else assumes."""

import io
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from shared.crawling.judging.picture.pixels import Pixels

_MAX_NAME = 80
_MAX_PROFILE_BYTES = 4_000_000
_MAX_REMEMBERED_BYTES = 100_000


def _remembered[T](read: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """Keeps what was read of profiles of a usual size, since most images have one of a few; of larger ones nothing."""
    cached = lru_cache(maxsize=64)(read)
    return lambda profile: (cached if len(profile) <= _MAX_REMEMBERED_BYTES else read)(profile)


@_remembered
def profile_name(profile: bytes) -> str:
    """How an ICC profile describes itself, in one line; "unknown" where it cannot be read."""
    try:
        name = str(ImageCms.getProfileDescription(_opened(profile)))
    except Exception:  # noqa: BLE001 - hostile bytes, and the library raises what it likes
        return "unknown"
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())[:_MAX_NAME]


def to_srgb(pixels: Pixels, profile: bytes) -> Pixels:
    """BGR pixels of a profile as sRGB ones. Unchanged where they are sRGB already, or the profile is of no use."""
    transform = _to_srgb(profile)
    if transform is None:
        return pixels
    image = Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))
    converted = ImageCms.applyTransform(image, transform)
    return np.ascontiguousarray(np.asarray(converted, dtype=np.uint8)[:, :, ::-1])


@_remembered
def _to_srgb(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    if "srgb" in profile_name(profile).lower():
        return None
    try:
        opened = _opened(profile)
        if opened.profile.xcolor_space.strip() != "RGB":
            return None
        return ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    except Exception:  # noqa: BLE001 - likewise
        return None


def _opened(profile: bytes) -> ImageCms.ImageCmsProfile:
    if len(profile) > _MAX_PROFILE_BYTES:
        raise ValueError("the profile is too large")
    return ImageCms.ImageCmsProfile(io.BytesIO(profile))
