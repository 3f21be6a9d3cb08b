"""EXIF: how a picture is to be turned, and whether readers can read it."""

from PIL import Image

ORIENTATION_TAG = 0x0112
EXIF_START = b"Exif\0\0"


def orientation_of(exif: Image.Exif) -> int:
    """1 to 8 (Exif 2.32, section 4.6.4.A); 1 where there is none."""
    value = exif.get(ORIENTATION_TAG, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def is_exif_readable(content: bytes) -> bool:
    """Whether Pillow can read it, and write it again without the orientation, as it does to turn a picture."""
    exif = Image.Exif()
    try:
        exif.load(content)
        if exif.pop(ORIENTATION_TAG, None) is not None:
            exif.tobytes()
    except Exception:  # noqa: BLE001 - Pillow raises any error on hostile bytes
        return False
    return True
