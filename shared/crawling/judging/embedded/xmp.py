"""Reads XMP packets, which are RDF in XML (ISO 16684-1; IPTC Photo Metadata Standard 2023.1; PLUS LDF).

The XML is hostile: document types and entities are refused, and its depth, elements and texts are limited. Texts before
an error count. A packet that is not read to its end is also searched for codes against data mining, so that no
damage hides one.
"""

import re
from collections.abc import Iterable, Mapping
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
_CODE_START = PROHIBITED.encode()
_MAX_CODE_CHARACTERS = 80
_MAX_DEPTH, _MAX_ELEMENTS, _MAX_TEXTS, _MAX_CHARACTERS = 60, 20_000, 200, 4000


class _TooMuch(Exception):
    """The packet has more than XMP needs."""


class _Reader:
    """Collects the texts of the properties that are kept. Most elements are others, so they cost little time.

    `_path` has the field that each open element belongs to, from the outermost property that is kept on.
    """

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = _refuse
        self._path: list[str] = []
        self._text: list[str] = []
        self._depth = self._elements = self._texts = self._characters = 0

    def read(self, packet: bytes) -> bool:
        """Reads the packet, and returns whether all of it could be read."""
        try:
            self._parser.Parse(packet, True)
        except (expat.ExpatError, _TooMuch, ValueError, LookupError):
            return False
        return True

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._depth += 1
        if self._elements > _MAX_ELEMENTS or self._depth > _MAX_DEPTH:
            raise _TooMuch
        kept = _FIELDS.get(name)
        if kept is not None or self._path:
            self._enter(kept or self._path[-1])
            if _RESOURCE in attributes:
                self._add(self._path[-1], attributes[_RESOURCE])
        for key, value in attributes.items():
            if key in _FIELDS:
                self._add(_FIELDS[key], value)

    def _enter(self, kept: str) -> None:
        self._path.append(kept)
        self._clear()
        self._parser.CharacterDataHandler = self._take

    def _take(self, text: str) -> None:
        if self._characters < _MAX_CHARACTERS:
            self._text.append(text[: _MAX_CHARACTERS - self._characters])
            self._characters += len(text)

    def _end(self, _: str) -> None:
        self._depth -= 1
        if self._path:
            self._add(self._path.pop(), "".join(self._text))
            self._clear()
            if not self._path:
                self._parser.CharacterDataHandler = None

    def _clear(self) -> None:
        self._text.clear()
        self._characters = 0

    def _add(self, name: str, text: str) -> None:
        text = text[:_MAX_CHARACTERS].strip()
        if text:
            self._texts += 1
            if self._texts > _MAX_TEXTS:
                raise _TooMuch
            self.found.setdefault(name, []).append(text)


def read_xmp(packet: bytes) -> dict[str, list[str]]:
    """Returns the texts of a packet, by their names in `Embedded`, in the order of the packet."""
    packet = packet.strip(b"\0 \t\r\n")
    if not _WORDS.search(packet):
        return {}
    reader = _Reader()
    if not reader.read(packet):
        reader.found.setdefault("data_mining", []).extend(codes_in(packet))
    return reader.found


def codes_in(data: bytes) -> list[str]:
    """Returns the codes against data mining that stand anywhere in the bytes, also in UTF-16 and UTF-32."""
    return sorted({code.decode() for code in _CODE_BYTES.findall(data.replace(b"\0", b""))})[:_MAX_TEXTS]


def may_have_codes(data: bytes, start: int = 0, end: int | None = None) -> bool:
    """Returns whether a code against data mining stands in `data[start:end]`, in ASCII or UTF-8. It is fast."""
    return data.find(_CODE_START, start, end) >= 0


def mining_code(texts: Iterable[str]) -> str:
    """Returns the code of PLUS in the texts. If there are several, one that forbids data mining is preferred.

    The texts are the codes, or their addresses in the vocabulary of PLUS (ns.useplus.org/ldf/vocab).
    """
    codes: list[str] = []
    for text in texts:
        code = _CODE.search(text)
        if code:
            codes.append(code[0][:_MAX_CODE_CHARACTERS].upper())
        elif "PROHIBIT" in text.upper():
            codes.append(PROHIBITED)
    codes.sort(key=lambda code: not code.startswith(PROHIBITED))
    return codes[0] if codes else ""


def _refuse(*_: object) -> None:
    """Refuses a document type, and with it all entities that a packet could declare."""
    raise _TooMuch
