"""Files as the web has them too: made of a JPEG that is in order."""

import io
import zlib

from PIL import Image

_TURNED_BY_EXIF = 6
_ORIENTATION_TAG = 0x0112
_TWO_PARTS = b"ICC_PROFILE\0\x01\x02"


def damaged_png(whole: bytes) -> bytes:
    """The picture as a PNG whose chunks are right, and whose pixels are not: readers make black rows of such."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(whole)) as image:
        image.save(out, "PNG")
    data = bytearray(out.getvalue())
    at = data.rindex(b"IDAT")
    end = len(data) - 16  # before the checksums of this chunk and of the last, which is empty
    data[end - 4] ^= 0xFF  # of the checksum of all pixels
    data[end : end + 4] = zlib.crc32(data[at:end]).to_bytes(4)
    return bytes(data)


def turned_copy(whole: bytes) -> bytes:
    """The picture stored on its side, and set upright by its EXIF; of lower quality, so that the other copy stays."""
    exif = Image.Exif()
    exif[_ORIENTATION_TAG] = _TURNED_BY_EXIF
    out = io.BytesIO()
    with Image.open(io.BytesIO(whole)) as image:
        image.transpose(Image.Transpose.ROTATE_90).save(out, "JPEG", quality=70, exif=exif)
    return out.getvalue()


def with_half_a_profile(whole: bytes) -> bytes:
    """The same JPEG with one of two parts of a colour profile: the picture is sound."""
    part = _TWO_PARTS + bytes(500)
    return whole[:2] + b"\xff\xe2" + (len(part) + 2).to_bytes(2) + part + whole[2:]
