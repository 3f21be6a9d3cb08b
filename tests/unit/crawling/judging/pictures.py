"""Real files of every kind, both complete and broken."""

import gzip
import io
import struct
import zlib
from collections.abc import Iterable
from functools import cache
from typing import Literal

import cv2
import numpy as np
from PIL import Image, ImageCms

from playground.gallery import default_photos
from shared.records.records import Reason

SIZE = (320, 240)


@cache
def picture(size: tuple[int, int] = SIZE, name: str = "chelsea.png") -> Image.Image:
    with Image.open(default_photos() / name) as opened:
        return opened.convert("RGB").resize(size)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def encoded(form: str, size: tuple[int, int] = SIZE, mode: str = "RGB", **options: object) -> bytes:
    return saved(picture(size).convert(mode), form, **options)


def animated(form: str, size: tuple[int, int] = (80, 80), frames: int = 3) -> bytes:
    images = [picture(size).point(lambda value, n=n: (value + 40 * n) % 256) for n in range(frames)]
    return saved(images[0], form, save_all=True, append_images=images[1:])


def grey16(order: str = "<") -> Image.Image:
    wide = np.asarray(picture().convert("L")).astype(f"{order}u2") * 257
    mode = "I;16" if order == "<" else "I;16B"
    return Image.frombytes(mode, SIZE, wide.astype(f"{order}u2").tobytes())


def deep(form: str, mode: str = "RGB") -> bytes:
    """Returns a file with 16 bits for each channel."""
    channels = np.asarray(picture().convert(mode)).astype("u2") * 257
    order = [2, 1, 0, 3][: channels.shape[2]]  # as OpenCV wants them
    return cv2.imencode(f".{form}", channels[:, :, order])[1].tobytes()


def clear(mode: str = "RGBA") -> Image.Image:
    """Returns the picture with a transparent left half. In mode "P", a colour of the palette is transparent."""
    image = picture().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, SIZE[0] // 2, SIZE[1]))
    return image if mode == "RGBA" else image.quantize(64)


def turned(orientation: int, form: str = "JPEG", size: tuple[int, int] = (320, 200)) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(form, size, exif=exif)


@cache
def profile(space: Literal["LAB", "XYZ", "sRGB"] = "sRGB") -> bytes:
    """Cached, because the profile contains the time when it is made."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()


def swapped_profile() -> bytes:
    """Returns an RGB profile that swaps red and green, which shows whether it is applied."""
    data = profile().replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    return data.replace(b"rXYZ", b"?XYZ", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"?XYZ", b"gXYZ", 1)


def png_header(width: int, height: int) -> bytes:
    """Returns a PNG that declares a size and has almost no pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(side: int = 20_000) -> bytes:
    """Returns a valid PNG of 400 million black pixels in half a megabyte."""
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 1) * side), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """Returns a PNG with a compressed comment of 64 MB."""
    whole = encoded("PNG")
    comment = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64_000_000)))
    return whole[:33] + comment + whole[33:]


def scan_bomb(scans: int = 400) -> bytes:
    """Returns a progressive JPEG that repeats its last scan. Each scan is a pass over all pixels for a few bytes."""
    whole = saved(Image.new("RGB", (2000, 2000), "teal"), "JPEG", progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + last * scans + b"\xff\xd9"


def gif_with_a_huge_frame() -> bytes:
    """Returns a small GIF whose second frame declares 65,000 by 65,000 pixels."""
    data = animated("GIF", frames=2)
    at = data.rindex(b"\x2c\0\0\0\0\x50\0\x50\0")
    return data[: at + 5] + struct.pack("<HH", 65_000, 65_000) + data[at + 9 :]


def tiff_with_a_huge_page() -> bytes:
    pages = [picture((80, 80)).convert("1"), Image.new("1", (9000, 9000))]
    return saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="group4")


def with_flipped_bytes(data: bytes, places: Iterable[float]) -> bytes:
    changed = bytearray(data)
    for place in places:
        changed[int(len(data) * place)] ^= 0x5A
    return bytes(changed)


@cache
def whole_files() -> dict[str, tuple[bytes, str, str, int]]:
    """Returns files to keep: their bytes, format, colour model and number of frames."""
    mpo = saved(picture(), "MPO", save_all=True, append_images=[picture()])
    return {
        "jpeg": (encoded("JPEG"), "jpeg", "rgb", 1),
        "progressive jpeg": (encoded("JPEG", progressive=True), "jpeg", "rgb", 1),
        "grey jpeg": (encoded("JPEG", mode="L"), "jpeg", "grey", 1),
        "cmyk jpeg": (encoded("JPEG", mode="CMYK"), "jpeg", "cmyk", 1),
        "jpeg 4:4:4": (encoded("JPEG", subsampling=0), "jpeg", "rgb", 1),
        "jpeg with restarts": (encoded("JPEG", restart_marker_blocks=7), "jpeg", "rgb", 1),
        "jpeg with a profile": (encoded("JPEG", icc_profile=profile()), "jpeg", "rgb", 1),
        "jpeg with exif": (turned(6), "jpeg", "rgb", 1),
        "jpeg and more": (encoded("JPEG") + bytes(range(256)) * 40, "jpeg", "rgb", 1),
        "jpeg and a video": (encoded("JPEG") + b"\xff\xda\0\x02" * 90, "jpeg", "rgb", 1),
        "mpo": (mpo, "jpeg", "rgb", 1),
        "png": (encoded("PNG"), "png", "rgb", 1),
        "rgba png": (saved(clear(), "PNG"), "png", "rgba", 1),
        "palette png": (encoded("PNG", mode="P"), "png", "palette", 1),
        "clear palette png": (saved(clear("P"), "PNG"), "png", "palette", 1),
        "png of a colour that is clear": (encoded("PNG", transparency=(9, 9, 9)), "png", "rgb", 1),
        "grey png": (encoded("PNG", mode="L"), "png", "grey", 1),
        "grey png with alpha": (encoded("PNG", mode="LA"), "png", "grey", 1),
        "one-bit png": (encoded("PNG", mode="1"), "png", "grey", 1),
        "16-bit png": (saved(grey16(), "PNG"), "png", "grey16", 1),
        "16-bit rgb png": (deep("png"), "png", "rgb16", 1),
        "16-bit rgba png": (deep("png", "RGBA"), "png", "rgba16", 1),
        "16-bit rgb tiff": (deep("tiff"), "tiff", "rgb16", 1),
        "png and more": (encoded("PNG") + b"more", "png", "rgb", 1),
        "apng": (animated("PNG"), "png", "rgb", 3),
        "gif": (encoded("GIF"), "gif", "palette", 1),
        "clear gif": (saved(clear(), "GIF"), "gif", "palette", 1),
        "animated gif": (animated("GIF"), "gif", "palette", 3),
        "gif and more": (encoded("GIF") + b"more", "gif", "palette", 1),
        "webp": (encoded("WEBP"), "webp", "rgb", 1),
        "lossless webp": (encoded("WEBP", lossless=True), "webp", "rgb", 1),
        "rgba webp": (saved(clear(), "WEBP"), "webp", "rgba", 1),
        "animated webp": (animated("WEBP"), "webp", "rgb", 3),
        "bmp": (encoded("BMP"), "bmp", "rgb", 1),
        "one-bit bmp": (encoded("BMP", mode="1"), "bmp", "grey", 1),
        "tiff": (encoded("TIFF"), "tiff", "rgb", 1),
        "cmyk tiff": (encoded("TIFF", mode="CMYK"), "tiff", "cmyk", 1),
        "lzw tiff": (encoded("TIFF", compression="tiff_lzw"), "tiff", "rgb", 1),
        "16-bit tiff": (saved(grey16(), "TIFF"), "tiff", "grey16", 1),
        "big-endian 16-bit tiff": (saved(grey16(">"), "TIFF"), "tiff", "grey16", 1),
        "tiff of pages": (animated("TIFF"), "tiff", "rgb", 3),
        "avif": (encoded("AVIF"), "avif", "rgb", 1),
        "animated avif": (animated("AVIF"), "avif", "rgb", 3),
    }


@cache
def refused_files() -> dict[str, tuple[bytes, Reason]]:
    """Returns files to reject, with the reasons."""
    jpeg, png, gif = encoded("JPEG"), encoded("PNG"), encoded("GIF")
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
    return {
        "html": (b"<!DOCTYPE html><html><body><svg></svg>Not here", Reason.NOT_AN_IMAGE),
        "html after a comment": (b"\xef\xbb\xbf\r\n<!-- x -->\n<HTML>", Reason.NOT_AN_IMAGE),
        "html in utf-16": ("\ufeff<html>".encode("utf-16-le"), Reason.NOT_AN_IMAGE),
        "json": (b'{"error": "not found"}', Reason.NOT_AN_IMAGE),
        "xml": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", Reason.NOT_AN_IMAGE),
        "text": (b"404 page not found", Reason.NOT_AN_IMAGE),
        "nothing but zeros": (bytes(1000), Reason.NOT_AN_IMAGE),
        "gzip": (gzip.compress(jpeg), Reason.NOT_AN_IMAGE),
        "mp4": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(99), Reason.NOT_AN_IMAGE),
        "bm without a bitmap": (b"BM is how this text begins, and no bitmap", Reason.NOT_AN_IMAGE),
        "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Reason.UNSUPPORTED_FORMAT),
        "svg in xml": (b"<?xml version='1.0'?>\n<!-- x -->\n<!DOCTYPE svg><svg/>", Reason.UNSUPPORTED_FORMAT),
        "pdf": (b"%PDF-1.7 ...", Reason.UNSUPPORTED_FORMAT),
        "heic": (heic, Reason.UNSUPPORTED_FORMAT),
        "ico": (saved(picture((64, 64)), "ICO"), Reason.UNSUPPORTED_FORMAT),
        "jpeg 2000": (encoded("JPEG2000"), Reason.UNSUPPORTED_FORMAT),
        "ppm": (encoded("PPM"), Reason.UNSUPPORTED_FORMAT),
        "tiff in lab": (encoded("TIFF", mode="LAB"), Reason.UNSUPPORTED_FORMAT),
        "tiff of floats": (encoded("TIFF", mode="F"), Reason.UNSUPPORTED_FORMAT),
        "half a jpeg": (jpeg[: len(jpeg) // 2], Reason.TRUNCATED),
        "jpeg without its end": (jpeg[:-2], Reason.TRUNCATED),
        "start of a jpeg": (b"\xff\xd8\xff\xe0 nothing more", Reason.TRUNCATED),
        "half a png": (png[: len(png) // 2], Reason.TRUNCATED),
        "png without its end": (png[:-12], Reason.TRUNCATED),
        "gif without its end": (gif[:-1], Reason.TRUNCATED),
        "jpeg with bad codes": (jpeg[:5000] + b"\xff\0" * 300 + jpeg[5000:], Reason.CORRUPT),
        "jpeg whose codes end early": (jpeg[:700] + b"\x01" * 3000 + b"\xff\xd9", Reason.TRUNCATED),
        "png with a bad checksum": (with_flipped_bytes(png, (0.5,)), Reason.CORRUPT),
        "png of noise": (png_header(1000, 1000)[:-40] + bytes(40), Reason.CORRUPT),
        "scan bomb": (scan_bomb(), Reason.CORRUPT),
        "jpeg of 12 bits": (
            jpeg.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"),
            Reason.UNSUPPORTED_FORMAT,
        ),
        "png bomb": (png_bomb(), Reason.TOO_MANY_PIXELS),
        "header of 60,000 pixels": (png_header(60_000, 60_000), Reason.TOO_MANY_PIXELS),
        "gif with a huge frame": (gif_with_a_huge_frame(), Reason.TOO_MANY_PIXELS),
        "tiff with a huge page": (tiff_with_a_huge_page(), Reason.TOO_MANY_PIXELS),
        "one pixel": (saved(Image.new("RGB", (1, 1)), "PNG"), Reason.TOO_SMALL),
        "banner": (encoded("JPEG", (1200, 100)), Reason.ASPECT_RATIO),
        "png with too few rows": (png_header(1000, 1000), Reason.CORRUPT),
    }
