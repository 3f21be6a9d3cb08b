"""Re-encodes a kept image as the spec asks: upright, resized, without metadata."""

import io

from PIL import Image, ImageOps

from shared.crawling.options import Resize, Transform

_PILLOW_FORMATS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}


def transform(data: bytes, wanted: Transform) -> tuple[bytes, int, int]:
    """The new bytes, their width and height in pixels. `data` must be an image that was found to be whole.

    Only the first frame of an animation is kept; transparency goes to white, as JPEG has none.
    """
    with Image.open(io.BytesIO(data)) as opened:
        if wanted.resize is not None:
            opened.draft("RGB", (wanted.resize.size * 2, wanted.resize.size * 2))
        image = ImageOps.exif_transpose(opened)
        image = _on_white(image)
    if wanted.resize is not None:
        image = _resized(image, wanted.resize)
    out = io.BytesIO()
    options = {"quality": wanted.quality} if wanted.format != "png" else {}
    image.save(out, _PILLOW_FORMATS[wanted.format], **options)
    return out.getvalue(), image.width, image.height


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")
    if image.mode in {"P", "PA", "LA", "RGBA"} or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return image.convert("RGB")


def _resized(image: Image.Image, resize: Resize) -> Image.Image:
    box = (resize.size, resize.size)
    method = Image.Resampling.LANCZOS
    if resize.mode == "fill":
        return ImageOps.fit(image, box, method)
    if resize.mode == "pad":
        return ImageOps.pad(image, box, method, color="white")
    if max(image.size) <= resize.size:
        return image  # fit makes images smaller, never larger
    return ImageOps.contain(image, box, method)
