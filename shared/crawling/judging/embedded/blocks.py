"""Defines the blocks of metadata of a file, which each format stores in its own way."""

from dataclasses import dataclass, field

MAX_PACKETS = 8
MAX_XMP_BYTES = 2 << 20
MAX_IPTC_BYTES = 256 << 10
C2PA_BOX = b"jumdc2pa"
"""The description of a JUMBF box that has C2PA manifests (C2PA 2.2, chapter 11). Other boxes are of other types."""

_BOX_START = 64


@dataclass(slots=True)
class Blocks:
    """The blocks of a file that say something about it.

    `xmp` has XMP packets, and `iptc` has IPTC-IIM records. `cut` is true if blocks were left out, because they are too
    many or too long. `has_c2pa` is true if the file has C2PA manifests.
    """

    xmp: list[bytes] = field(default_factory=list)
    iptc: list[bytes] = field(default_factory=list)
    has_c2pa: bool = False
    cut: bool = False

    def add_xmp(self, packet: bytes) -> None:
        """Adds a packet, if all packets stay within their limits."""
        if len(self.xmp) < MAX_PACKETS and sum(map(len, self.xmp)) + len(packet) <= MAX_XMP_BYTES:
            self.xmp.append(packet)
        else:
            self.cut = True

    def add_iptc(self, records: bytes) -> None:
        """Adds IPTC-IIM records, if all records stay within their limits. They cannot forbid data mining."""
        if len(self.iptc) < MAX_PACKETS and sum(map(len, self.iptc)) + len(records) <= MAX_IPTC_BYTES:
            self.iptc.append(records)

    def add_jumbf(self, data: bytes, start: int) -> None:
        """Notes the JUMBF box that begins about `start`, if it has C2PA manifests."""
        self.has_c2pa |= data.find(C2PA_BOX, start, start + _BOX_START) >= 0
