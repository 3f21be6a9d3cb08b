"""Makes image files that say something about themselves: XMP, IPTC-IIM and C2PA in each format that can carry it."""

import io
import struct
import zlib
from functools import cache

from PIL import Image

XMP_FORMATS = ("jpeg", "png", "webp", "gif", "tiff", "avif")
MIME_TYPES = {name: f"image/{name}" for name in XMP_FORMATS}
VOCABULARY = "http://ns.useplus.org/ldf/vocab/"
AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

_NAMESPACES = """
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"
 xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmpNote="http://ns.adobe.com/xmp/note/"
"""
_GIF_MAGIC = b"\1" + bytes(range(0xFF, -1, -1)) + b"\0"


@cache
def plain(image_format: str) -> bytes:
    """Returns a sound image without any metadata."""
    out = io.BytesIO()
    _picture().save(out, image_format.upper())
    return out.getvalue()


def _picture() -> Image.Image:
    return Image.linear_gradient("L").convert("RGB").resize((96, 80))


def xmp(properties: str = "", attributes: str = "") -> bytes:
    """Returns an XMP packet with these elements and attributes in its description."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF {_NAMESPACES}><rdf:Description rdf:about="" {attributes}>{properties}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def data_mining(code: str) -> bytes:
    """Returns an XMP packet that declares a code of PLUS for data mining."""
    return xmp(f"<plus:DataMining>{VOCABULARY}{code}</plus:DataMining>")


def made_by_ai(source_type: str = AI) -> bytes:
    """Returns an XMP packet that declares how the image was made."""
    return xmp(f"<Iptc4xmpExt:DigitalSourceType>{source_type}</Iptc4xmpExt:DigitalSourceType>")


def with_xmp(image_format: str, packet: bytes) -> bytes:
    """Returns an image with an XMP packet, as Pillow writes it, or as the format's specification says."""
    if image_format == "gif":
        return with_gif_extension(b"XMP DataXMP", packet + _GIF_MAGIC)
    if image_format == "png":
        return with_png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)
    out = io.BytesIO()
    if image_format == "tiff":
        _picture().save(out, "TIFF", tiffinfo={700: packet})
    else:
        _picture().save(out, image_format.upper(), xmp=packet)
    return out.getvalue()


def with_segment(code: int, content: bytes, data: bytes = b"") -> bytes:
    """Returns a JPEG with one more segment at its beginning."""
    data = data or plain("jpeg")
    return data[:2] + bytes([0xFF, code]) + (len(content) + 2).to_bytes(2) + content + data[2:]


def with_png_chunk(kind: bytes, content: bytes) -> bytes:
    """Returns a PNG with one more chunk behind its header."""
    data = plain("png")
    chunk = struct.pack(">I", len(content)) + kind + content + zlib.crc32(kind + content).to_bytes(4)
    return data[:33] + chunk + data[33:]


def with_gif_extension(name: bytes, content: bytes) -> bytes:
    """Returns a GIF with one more application extension before its end."""
    return plain("gif")[:-1] + b"\x21\xff\x0b" + name + content + b";"


def with_webp_chunk(kind: bytes, content: bytes) -> bytes:
    """Returns a WebP with one more chunk at its end."""
    body = plain("webp")[8:] + kind + len(content).to_bytes(4, "little") + content + bytes(len(content) % 2)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def iptc(**texts: str) -> bytes:
    """Returns IPTC-IIM records in UTF-8."""
    numbers = {"creator": 80, "credit_line": 110, "copyright_notice": 116}
    out = b"\x1c\1\x5a\0\3\x1b%G"
    for name, text in texts.items():
        content = text.encode()
        out += bytes([0x1C, 2, numbers[name]]) + len(content).to_bytes(2) + content
    return out


def photoshop(records: bytes) -> bytes:
    """Returns Photoshop's image resources with IPTC-IIM records behind another resource."""
    other = b"8BIM\x04\x25\0\0" + (16).to_bytes(4) + bytes(16)
    return other + b"8BIM\x04\x04\0\0" + len(records).to_bytes(4) + records + bytes(len(records) % 2)
