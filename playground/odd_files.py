"""Makes odd and damaged files, as the web has them, from a sound JPEG."""

import io
import zlib

from PIL import Image

_ROTATE_90_CLOCKWISE = 6
_ORIENTATION_TAG = 0x0112
_FIRST_OF_TWO_PARTS = b"ICC_PROFILE\0\x01\x02"


def damaged_png(whole: bytes) -> bytes:
    """Returns the image as a PNG with valid chunks but damaged pixel data. Some readers show black rows for it."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(whole)) as image:
        image.save(out, "PNG")
    data = bytearray(out.getvalue())
    at = data.rindex(b"IDAT")
    # 16 bytes follow the data of this chunk: its checksum, and the last chunk, which is empty
    end = len(data) - 16
    # the data ends with the checksum of all pixels
    data[end - 4] ^= 0xFF
    data[end : end + 4] = zlib.crc32(data[at:end]).to_bytes(4)
    return bytes(data)


def turned_copy(whole: bytes) -> bytes:
    """Returns a rotated JPEG whose EXIF rotates it back. Its lower quality makes deduplication keep the original."""
    exif = Image.Exif()
    exif[_ORIENTATION_TAG] = _ROTATE_90_CLOCKWISE
    out = io.BytesIO()
    with Image.open(io.BytesIO(whole)) as image:
        image.transpose(Image.Transpose.ROTATE_90).save(out, "JPEG", quality=70, exif=exif)
    return out.getvalue()


def with_half_a_profile(whole: bytes) -> bytes:
    """Returns the JPEG with one of two parts of a colour profile. The image itself is sound."""
    part = _FIRST_OF_TWO_PARTS + bytes(500)
    return whole[:2] + b"\xff\xe2" + (len(part) + 2).to_bytes(2) + part + whole[2:]
