"""Real files of every kind, whole and broken."""

import io
import struct
import zlib

from PIL import Image

from playground.gallery import default_photos


def encoded(form: str, size: tuple[int, int] = (320, 240), mode: str = "RGB", **options: object) -> bytes:
    with Image.open(default_photos() / "chelsea.png") as opened:
        image = opened.convert("RGB").resize(size).convert(mode)
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size, and little more."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    data = zlib.compress(b"\0" * 1000)
    chunk = b"IDAT" + data
    return head + struct.pack(">I", len(data)) + chunk + struct.pack(">I", zlib.crc32(chunk))
