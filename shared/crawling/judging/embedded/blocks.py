"""Defines the blocks of metadata of a file, which each format stores in its own way."""

from dataclasses import dataclass, field

from shared.crawling.judging.embedded.xmp import codes_in

MAX_PACKETS = 8
MAX_XMP_BYTES = 2 << 20
MAX_IPTC_BYTES = 256 << 10
C2PA_BOX = b"jumdc2pa"
"""The description of a JUMBF box that has C2PA manifests (C2PA 2.2, chapter 11). Other boxes are of other types."""

_BOX_START = 64


@dataclass(slots=True)
class Blocks:
    """The blocks of a file that say something about it.

    `xmp` has XMP packets, and `iptc` has IPTC-IIM records. `codes` are the codes against data mining in XMP that was
    left out, because it is too much. `cut` is true if there may be more codes anywhere in the file. `has_c2pa` is true
    if the file has C2PA manifests.
    """

    xmp: list[bytes] = field(default_factory=list)
    iptc: list[bytes] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    has_c2pa: bool = False
    cut: bool = False

    @property
    def has_texts(self) -> bool:
        """Whether there is anything to read but C2PA manifests."""
        return bool(self.xmp or self.iptc or self.codes or self.cut)

    def add_xmp(self, packet: bytes) -> None:
        """Adds a packet, or only its codes if the packets would exceed their limits."""
        if len(self.xmp) < MAX_PACKETS and sum(map(len, self.xmp)) + len(packet) <= MAX_XMP_BYTES:
            self.xmp.append(packet)
        else:
            self.codes += codes_in(packet)

    def add_iptc(self, records: bytes) -> None:
        """Adds IPTC-IIM records, if all records stay within their limits. They cannot forbid data mining."""
        if len(self.iptc) < MAX_PACKETS and sum(map(len, self.iptc)) + len(records) <= MAX_IPTC_BYTES:
            self.iptc.append(records)

    def add_jumbf(self, data: bytes, start: int) -> None:
        """Notes the JUMBF box that begins about `start`, if it has C2PA manifests."""
        self.has_c2pa |= data.find(C2PA_BOX, start, start + _BOX_START) >= 0
