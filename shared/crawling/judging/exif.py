"""Reads the orientation out of EXIF, and checks that loaders of images can read the EXIF."""

from PIL import Image

from shared.crawling.judging.decoding.tag_numbers import MAX_EXIF_NUMBERS, has_too_many_numbers

ORIENTATION_TAG = 0x0112
EXIF_START = b"Exif\0\0"


def read_orientation(exif: Image.Exif) -> int:
    """Returns the orientation, 1 to 8 (Exif 2.32, section 4.6.4.A). It is 1 if EXIF declares none or an invalid one."""
    value = exif.get(ORIENTATION_TAG, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def is_exif_small(content: bytes) -> bool:
    """Returns whether the EXIF has so few numbers that it can be read in little time and memory."""
    start = len(EXIF_START) if content.startswith(EXIF_START) else 0
    # some files have the start twice, and Pillow skips both
    start *= 2 if content.startswith(EXIF_START, start) else 1
    return not has_too_many_numbers(content[start:], MAX_EXIF_NUMBERS)


def is_exif_readable(content: bytes) -> bool:
    """Returns whether Pillow can read the EXIF and can write it without the orientation.

    Loaders do both with `ImageOps.exif_transpose`, which rotates a picture upright.
    """
    if not is_exif_small(content):
        return False
    exif = Image.Exif()
    try:
        exif.load(content)
        if exif.pop(ORIENTATION_TAG, None) is not None:
            exif.tobytes()
    except Exception:  # noqa: BLE001 - Pillow raises any error on hostile bytes
        return False
    return True
