"""Reads IPTC-IIM records (IIM 4.2), which stand in Photoshop's image resources."""

from collections.abc import Iterator

from shared.crawling.judging.embedded.blocks import MAX_IPTC_BYTES

PHOTOSHOP = b"Photoshop 3.0\0"
_RESOURCE = b"8BIM"
_IPTC_ID = 0x0404
_MAX_RESOURCES = 1000
_MAX_DATA_SETS = 2000
_MARKER = 0x1C
_CHARSET, _UTF8 = (1, 90), b"\x1b%G"
_FIELDS = {(2, 80): "creator", (2, 110): "credit_line", (2, 116): "copyright_notice"}
_EXTENDED_SIZE = 0x8000


def iptc_of_photoshop(resources: bytes) -> list[bytes]:
    """Returns the IPTC-IIM records in a list of image resources. It is empty for anything else."""
    return list(_iptc_records(resources[:MAX_IPTC_BYTES]))


def _iptc_records(resources: bytes) -> Iterator[bytes]:
    at = 0
    for _ in range(_MAX_RESOURCES):
        if not resources.startswith(_RESOURCE, at) or at + 7 > len(resources):
            return
        # the name has its length before it, and both are padded to an even size
        name_bytes = (resources[at + 6] + 2) & ~1
        size_at = at + 6 + name_bytes
        start = size_at + 4
        size = int.from_bytes(resources[size_at:start])
        if int.from_bytes(resources[at + 4 : at + 6]) == _IPTC_ID:
            yield resources[start : start + size]
        at = start + size + size % 2


def read_iptc(records: bytes) -> dict[str, str]:
    """Returns the texts of the fields that are kept, by their names in `Embedded`. Several creators are one text."""
    found: dict[str, list[str]] = {}
    encoding = None
    for key, value in _data_sets(records):
        if key == _CHARSET and value.startswith(_UTF8):
            encoding = "utf-8"
        elif key in _FIELDS and value:
            found.setdefault(_FIELDS[key], []).append(_decoded(value, encoding))
    return {name: ", ".join(texts) if name == "creator" else texts[0] for name, texts in found.items()}


def _data_sets(records: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Yields the number and the value of each data set, up to the first that is invalid or longer than 32 kB."""
    at = 0
    for _ in range(_MAX_DATA_SETS):
        if at + 5 > len(records) or records[at] != _MARKER:
            return
        size = int.from_bytes(records[at + 3 : at + 5])
        if size >= _EXTENDED_SIZE:
            return
        yield (records[at + 1], records[at + 2]), records[at + 5 : at + 5 + size]
        at += 5 + size


def _decoded(value: bytes, encoding: str | None) -> str:
    """Decodes a text. Most programs write UTF-8, even if they do not declare it, and older ones Windows-1252."""
    try:
        return value.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")
