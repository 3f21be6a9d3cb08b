"""Reads ICC profiles, and converts pixels to sRGB, which the other modules assume."""

import io
import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from shared.crawling.judging.picture.pixels import Pixels

_MAX_NAME = 80
_MAX_PROFILE_BYTES = 4_000_000
_MAX_CACHED_BYTES = 100_000
_TAGS_AT, _TAG_BYTES, _MAX_TAGS = 128, 12, 100
_MULTI_PROCESS = b"mpet"
_MAX_ELEMENTS, _MAX_SEGMENTS = 32, 100
_SEGMENTS = re.compile(rb"curf....(..)", re.DOTALL)


def _cached[T](read: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """Caches the results for profiles of a usual size, because most images have one of a few profiles."""
    cached = lru_cache(maxsize=64)(read)
    return lambda profile: (cached if len(profile) <= _MAX_CACHED_BYTES else read)(profile)


@_cached
def profile_name(profile: bytes) -> str:
    """Returns the description in an ICC profile as one line, or "unknown" if it cannot be read."""
    try:
        name = str(ImageCms.getProfileDescription(_opened(profile)))
    except Exception:  # noqa: BLE001 - the library raises any error on hostile bytes
        return "unknown"
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())[:_MAX_NAME]


def to_srgb(pixels: Pixels, profile: bytes) -> Pixels:
    """Converts BGR pixels from their profile to sRGB. Returns them unchanged if the profile is sRGB or not usable."""
    transform = _to_srgb(profile)
    if transform is None:
        return pixels
    image = Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))
    converted = ImageCms.applyTransform(image, transform)
    return np.ascontiguousarray(np.asarray(converted, dtype=np.uint8)[:, :, ::-1])


@_cached
def _to_srgb(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    if "srgb" in profile_name(profile).lower():
        return None
    try:
        opened = _opened(profile)
        if opened.profile.xcolor_space.strip() != "RGB" or _is_slow(profile):
            return None
        return ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    except Exception:  # noqa: BLE001 - the library raises any error on hostile bytes
        return None


def _is_slow(profile: bytes) -> bool:
    """Returns whether a tag has too many elements, or a curve too many segments (ICC.1:2022, 10.16).

    Each colour passes through all elements, and the elements may share their data. A profile of 1 MB with 60,000 of
    them took more than a minute.
    """
    if _MULTI_PROCESS not in profile:
        return False
    for entry in range(_TAGS_AT + 4, _TAGS_AT + 4 + _TAG_BYTES * _MAX_TAGS, _TAG_BYTES):
        at = int.from_bytes(profile[entry + 4 : entry + 8])
        if (
            profile.startswith(_MULTI_PROCESS, at)
            and int.from_bytes(profile[at + 12 : at + 16]) > _MAX_ELEMENTS
        ):
            return True
    return any(int.from_bytes(segments) > _MAX_SEGMENTS for segments in _SEGMENTS.findall(profile))


def _opened(profile: bytes) -> ImageCms.ImageCmsProfile:
    if len(profile) > _MAX_PROFILE_BYTES:
        raise ValueError("the profile is too large")
    return ImageCms.ImageCmsProfile(io.BytesIO(profile))
