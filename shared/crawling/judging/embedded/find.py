"""Finds the blocks of metadata of a file of any format."""

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from shared.crawling.judging.embedded.blocks import C2PA_BOX, Blocks
from shared.crawling.judging.embedded.gif_blocks import gif_blocks
from shared.crawling.judging.embedded.iptc import iptc_of_photoshop
from shared.crawling.judging.embedded.jpeg_blocks import jpeg_blocks
from shared.crawling.judging.embedded.png_blocks import png_blocks
from shared.crawling.judging.embedded.webp_blocks import webp_blocks
from shared.crawling.judging.embedded.xmp import may_have_codes
from shared.crawling.judging.header import Header

_XMP_TAG, _IPTC_TAG, _PHOTOSHOP_TAG = 700, 33723, 34377


def find_blocks(data: bytes, header: Header) -> Blocks:
    """Returns the blocks of a file. A BMP cannot have any. For a JPEG without such blocks, it takes no time."""
    if header.format == "jpeg":
        described = header.jpeg is not None and header.jpeg.describes_itself
        return jpeg_blocks(data) if described else Blocks()
    found = _blocks(data, header)
    # programs also store XMP in places that are not read, such as later pages of a TIFF and EXIF
    found.cut |= header.format != "bmp" and may_have_codes(data)
    return found


def _blocks(data: bytes, header: Header) -> Blocks:
    match header.format:
        case "png":
            return png_blocks(data)
        case "webp":
            return webp_blocks(data)
        case "gif":
            return gif_blocks(data)
        case "tiff" | "avif":
            return _blocks_of_pillow(data, header.image)
        case _:
            return Blocks()


def _blocks_of_pillow(data: bytes, image: Image.Image | None) -> Blocks:
    """Returns the blocks that Pillow has found (the TIFF tags are Adobe's)."""
    found = Blocks()
    found.add_jumbf(data, data.find(C2PA_BOX))
    if isinstance(image, TiffImageFile):
        tags = image.tag_v2
        found.add_iptc(_octets(tags.get(_IPTC_TAG)))
        for records in iptc_of_photoshop(_octets(tags.get(_PHOTOSHOP_TAG))):
            found.add_iptc(records)
        found.add_xmp(_octets(tags.get(_XMP_TAG)))
    elif image is not None:
        found.add_xmp(_octets(image.info.get("xmp")))
    return found


def _octets(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""
