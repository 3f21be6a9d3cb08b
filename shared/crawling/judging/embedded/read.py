"""Reads what an image file says about itself."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain

from shared.crawling.judging.embedded.blocks import Blocks
from shared.crawling.judging.embedded.c2pa.reader import C2paReader
from shared.crawling.judging.embedded.c2pa.report import (
    TRAINING_MINING,
    UNREADABLE,
    Report,
    Use,
    read_report,
    uses_text,
)
from shared.crawling.judging.embedded.iptc import read_iptc
from shared.crawling.judging.embedded.xmp import codes_in, mining_code, read_xmp
from shared.crawling.options import Format
from shared.records.embedded import AI_SOURCE_TYPES, Embedded
from shared.text.hidden import without_hidden

_MAX_CHARACTERS, _MAX_URL_CHARACTERS = 500, 2000
_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_SOURCE_TYPE = re.compile(r"[A-Za-z]{1,60}")
_MIME_TYPES: Mapping[Format, str] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "tiff": "image/tiff",
    "avif": "image/avif",
}
_UNREADABLE = Report("", "unreadable", (), ())


def read_texts(data: bytes, blocks: Blocks) -> Embedded:
    """Returns what XMP and IPTC-IIM say. XMP is preferred, as it is newer. `data` is the whole file.

    If blocks were left out, the file is searched for codes against data mining, so that size hides none.
    """
    said: dict[str, list[str]] = {}
    for packet in blocks.xmp:
        for name, texts in read_xmp(packet).items():
            said.setdefault(name, []).extend(texts)
    left_out = [*blocks.codes, *(codes_in(data) if blocks.cut else ())]
    if left_out:
        said.setdefault("data_mining", []).extend(left_out)
    for records in blocks.iptc:
        for name, text in read_iptc(records).items():
            said.setdefault(name, [text])
    return Embedded(
        creator=_text(", ".join(dict.fromkeys(said.get("creator", ())))),
        copyright_notice=_text(_first(said.get("copyright_notice", ()))),
        credit_line=_text(_first(said.get("credit_line", ()))),
        rights_url=_address(said.get("rights_url", ())),
        licensor_url=_address(said.get("licensor_url", ())),
        digital_source_type=_source_type(said.get("digital_source_type", ())),
        data_mining=mining_code(said.get("data_mining", ())),
        data_mining_constraints=_text(_first(said.get("data_mining_constraints", ()))),
    )


def read_c2pa(
    data: bytes, image_format: Format, reader: C2paReader, said: Embedded
) -> tuple[Embedded, tuple[Use, ...]]:
    """Returns what the C2PA manifests say, added to `said`, and the uses that they declare.

    If the manifests cannot be read but have the name of the assertion about training, they count as a refusal.

    Raises:
        ReaderCrashed: the process that reads them crashed or was too slow.
    """
    answer = reader.read(data, _MIME_TYPES[image_format])
    report = _UNREADABLE if answer is None else read_report(answer)
    uses = report.uses
    if answer is None and TRAINING_MINING.encode() in data:
        uses = (UNREADABLE,)
    embedded = replace(
        said,
        digital_source_type=_source_type((said.digital_source_type, *report.source_types)),
        c2pa_generator=_text(report.generator),
        c2pa_validity=report.validity,
        c2pa_training=_text(uses_text(uses)) or said.c2pa_training,
    )
    return embedded, uses


def _first(texts: Iterable[str]) -> str:
    return next(iter(texts), "")


def _text(text: str) -> str:
    """Returns the text on one line, without invisible characters, cut to its limit."""
    # JSON may hold halves of surrogate pairs, which no record can hold
    whole = text[: 4 * _MAX_CHARACTERS].encode(errors="ignore").decode()
    return without_hidden(whole)[:_MAX_CHARACTERS].strip()


def _address(texts: Iterable[str]) -> str:
    """Returns the first web address. It is not cut, because that would make it another address."""
    for text in texts:
        if len(text) <= _MAX_URL_CHARACTERS and _ADDRESS.fullmatch(text) and text.isprintable():
            return text
    return ""


def _source_type(texts: Iterable[str]) -> str:
    """Returns the code of a digital source type. If there are several, one that means AI is preferred.

    The texts are the codes, or their addresses in IPTC's vocabulary.
    """
    codes = (text.strip().rstrip("/").rpartition("/")[2] for text in texts)
    found = [code for code in codes if _SOURCE_TYPE.fullmatch(code)]
    return _first(chain((code for code in found if code in AI_SOURCE_TYPES), found))
