"""Finds the metadata of a JPEG (XMP part 3; C2PA 2.2, appendix A; Photoshop file formats, image resources)."""

from shared.crawling.judging.embedded.blocks import Blocks
from shared.crawling.judging.embedded.iptc import PHOTOSHOP, iptc_of_photoshop
from shared.crawling.judging.embedded.xmp import may_have_codes
from shared.crawling.judging.jpeg.segments import APP1, APP11, APP13, segments

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_GUID_BYTES = 32
_EXTENSION_HEAD = len(_EXTENSION) + _GUID_BYTES + 8


def jpeg_blocks(data: bytes) -> Blocks:
    """Returns the blocks of metadata that stand before the first scan. The segments must be readable up to there."""
    found = Blocks()
    photoshop: list[bytes] = []
    extensions: dict[bytes, dict[int, bytes]] = {}
    end = 0
    for code, start, end in segments(data):
        if code == APP1:
            if data.startswith(_XMP, start, end):
                found.add_xmp(data[start + len(_XMP) : end])
            elif data.startswith(_EXTENSION, start, end):
                _add_extension(extensions, data[start:end])
        elif code == APP11:
            found.add_jumbf(data, start)
        elif code == APP13 and data.startswith(PHOTOSHOP, start, end):
            photoshop.append(data[start + len(PHOTOSHOP) : end])
    for parts in extensions.values():
        # up to the first part that is missing, which is as far as the reader reads it
        found.add_xmp(b"".join(parts[offset] for offset in sorted(parts)))
    found.cut = may_have_codes(data, end=end)
    if photoshop:
        for records in iptc_of_photoshop(b"".join(photoshop)):
            found.add_iptc(records)
    return found


def _add_extension(extensions: dict[bytes, dict[int, bytes]], content: bytes) -> None:
    """Stores one part of extended XMP, by the packet's GUID and by the part's offset."""
    if len(content) > _EXTENSION_HEAD:
        guid = content[len(_EXTENSION) : len(_EXTENSION) + _GUID_BYTES]
        offset = int.from_bytes(content[_EXTENSION_HEAD - 4 : _EXTENSION_HEAD])
        extensions.setdefault(guid, {})[offset] = content[_EXTENSION_HEAD:]
