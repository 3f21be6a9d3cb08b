"""Reads XMP packets, which are RDF in XML (ISO 16684-1; IPTC Photo Metadata Standard 2023.1; PLUS LDF).

The XML is hostile: document types and entities are refused, and its depth, elements and texts are limited. What stands
before an error counts. A packet that is not read to its end is also searched for codes against data mining, so that no
damage hides one.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from shared.records.embedded import PROHIBITED

_PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_RIGHTS = "http://ns.adobe.com/xap/1.0/rights/"
_RESOURCE = "http://www.w3.org/1999/02/22-rdf-syntax-ns# resource"
_FIELDS: Mapping[str, str] = {
    "http://purl.org/dc/elements/1.1/ creator": "creator",
    "http://purl.org/dc/elements/1.1/ rights": "copyright_notice",
    "http://ns.adobe.com/photoshop/1.0/ Credit": "credit_line",
    f"{_RIGHTS} WebStatement": "rights_url",
    f"{_PLUS} LicensorURL": "licensor_url",
    f"{_PLUS} DataMining": "data_mining",
    f"{_PLUS} OtherConstraints": "data_mining_constraints",
    f"{_IPTC} DigitalSourceType": "digital_source_type",
}
"""The fields of `Embedded`, by the namespaces and names of the properties of XMP."""

_WORDS = re.compile(
    "|".join({name.rpartition(" ")[2] for name in _FIELDS}).encode()
    # in UTF-16, there is a zero beside each letter
    + rb"|\0",
)
_CODE = re.compile(r"DMI-[A-Z]+(?:-[A-Z]+)*", re.IGNORECASE)
_CODE_BYTES = re.compile(rb"DMI-PROHIBITED(?:-[A-Z]+)*")
_MAX_DEPTH, _MAX_ELEMENTS, _MAX_TEXTS, _MAX_CHARACTERS = 60, 20_000, 200, 4000


class _TooMuch(Exception):
    """The packet has more than XMP needs."""


@dataclass(slots=True)
class _Reader:
    """Collects the texts of properties. `path` has the field that each open element belongs to, or None."""

    found: dict[str, list[str]] = field(default_factory=dict)
    path: list[str | None] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    elements: int = 0
    texts: int = 0
    characters: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > _MAX_ELEMENTS or len(self.path) >= _MAX_DEPTH:
            raise _TooMuch
        inside = _FIELDS.get(name) or (self.path[-1] if self.path else None)
        self.path.append(inside)
        self._clear()
        for key, value in attributes.items():
            named = _FIELDS.get(key) or (inside if key == _RESOURCE else None)
            if named is not None:
                self._add(named, value)

    def data(self, text: str) -> None:
        if self.path and self.path[-1] and self.characters < _MAX_CHARACTERS:
            self.text.append(text[: _MAX_CHARACTERS - self.characters])
            self.characters += len(text)

    def end(self, _: str) -> None:
        inside = self.path.pop()
        if inside is not None:
            self._add(inside, "".join(self.text))
        self._clear()

    def _clear(self) -> None:
        self.text.clear()
        self.characters = 0

    def _add(self, name: str, text: str) -> None:
        text = text[:_MAX_CHARACTERS].strip()
        if not text:
            return
        self.texts += 1
        if self.texts > _MAX_TEXTS:
            raise _TooMuch
        self.found.setdefault(name, []).append(text)


def read_xmp(packet: bytes) -> dict[str, list[str]]:
    """Returns the texts of a packet, by their names in `Embedded`, in the order of the packet."""
    packet = packet.strip(b"\0 \t\r\n")
    if not _WORDS.search(packet):
        return {}
    reader = _Reader()
    whole = _parse(packet, reader)
    if not whole:
        reader.found.setdefault("data_mining", []).extend(codes_in(packet))
    return reader.found


def codes_in(data: bytes) -> list[str]:
    """Returns the codes against data mining that stand anywhere in the bytes, also in UTF-16 and UTF-32."""
    return sorted({code.decode() for code in _CODE_BYTES.findall(data.replace(b"\0", b""))})[:_MAX_TEXTS]


def mining_code(texts: Iterable[str]) -> str:
    """Returns the code of PLUS in the texts. If there are several, one that forbids data mining is preferred.

    The texts are the codes, or their addresses in the vocabulary of PLUS (ns.useplus.org/ldf/vocab).
    """
    codes: list[str] = []
    for text in texts:
        code = _CODE.search(text)
        if code:
            codes.append(code[0].upper())
        elif "PROHIBIT" in text.upper():
            codes.append(PROHIBITED)
    codes.sort(key=lambda code: not code.startswith(PROHIBITED))
    return codes[0] if codes else ""


def _parse(packet: bytes, reader: _Reader) -> bool:
    """Reads the packet, and returns whether all of it could be read."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.data
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(packet, True)
    except (expat.ExpatError, _TooMuch, ValueError, LookupError):
        return False
    return True


def _refuse(*_: object) -> None:
    """Refuses a document type, and with it all entities that a packet could declare."""
    raise _TooMuch
