"""Limits the heads of HTTP responses, and rewrites them for the client's parser.

The parser refuses a repeated Content-Length, although RFC 9110, 8.6, lets a recipient read equal ones as one. It also
knows each content coding by one name only, although RFC 9110, 8.4, allows lists, aliases and empty elements.
"""

import re
from collections.abc import Iterator

MAX_HEAD_BYTES = 131_072
MAX_FIELD_BYTES = 32_768
MAX_FIELDS = 128
_LENGTH = b"content-length"
_ENCODING = b"content-encoding"
_LIST_OF_LENGTHS = re.compile(rb"\ncontent-length:[^\r\n]*,")
_FOLDED = re.compile(rb"\n[ \t]")
_ALIASES = {b"x-gzip": b"gzip"}
_CODINGS = frozenset({"gzip", "deflate", "br", "zstd", "compress", "x-compress", "dcb", "dcz"})


def exceeded_limit(head: bytes) -> str | None:
    """Names the limit that a head, or the beginning of one, exceeds, as a sentence, or None if it exceeds none."""
    if len(head) > MAX_HEAD_BYTES:
        return f"its headers have more than {MAX_HEAD_BYTES:,} bytes"
    # two more lines are the status and the blank line
    if head.count(b"\n") > MAX_FIELDS + 2:
        return f"it has more than {MAX_FIELDS} header fields"
    if len(head) > MAX_FIELD_BYTES and max(map(len, head.split(b"\n"))) > MAX_FIELD_BYTES:
        return f"one of its header fields has more than {MAX_FIELD_BYTES:,} bytes"
    return None


def normal_head(head: bytes) -> bytes:
    """Returns the head in normal form.

    Equal lengths are one length. A chunked head has no length. All codings are in one field. Lengths that differ or
    are not valid stay, and the parser refuses them. Codings are in lower case, by their registered names, without
    `identity`, empty elements and parameters.
    """
    lower = head.lower()
    lengths = lower.count(b"\ncontent-length:") + lower.count(b"\ntransfer-encoding:")
    if b"\ncontent-encoding:" not in lower and lengths < 2 and not _LIST_OF_LENGTHS.search(lower):
        return head
    if _FOLDED.search(head):
        return head
    status, *fields = head.splitlines(keepends=True)
    fields = _with_one_length(fields)
    codings = [coding for value in _values(fields, _ENCODING) for coding in _codings(value)]
    fields = _without(fields, _ENCODING)
    if codings:
        fields.insert(0, b"Content-Encoding: " + b", ".join(codings) + b"\r\n")
    return status + b"".join(fields)


def unread_coding(content_encoding: str) -> str | None:
    """Returns the content codings that the client cannot decode, or None if it can read the body.

    The parser undoes one coding. A value that is not a coding, such as a charset, is ignored, as in browsers.
    """
    declared = content_encoding.lower()
    codings = [coding.strip() for coding in declared.split(",")]
    undone = len(codings) == 1 and "compress" not in codings[0]
    return None if undone or _CODINGS.isdisjoint(codings) else declared[:100]


def _with_one_length(fields: list[bytes]) -> list[bytes]:
    lengths = [part.strip() for value in _values(fields, _LENGTH) for part in value.split(b",")]
    chunked = any(value.lower().endswith(b"chunked") for value in _values(fields, b"transfer-encoding"))
    # RFC 9112, 6.3: the length is overridden
    if chunked and all(map(_is_number, lengths)):
        return _without(fields, _LENGTH)
    if not all(map(_is_number, lengths)) or len({length.lstrip(b"0") for length in lengths}) != 1:
        return fields
    return [b"Content-Length: " + lengths[0] + b"\r\n", *_without(fields, _LENGTH)]


def _is_number(text: bytes) -> bool:
    # for bytes, this is true for ASCII digits only
    return text.isdigit()


def _codings(value: bytes) -> Iterator[bytes]:
    for part in value.lower().split(b","):
        coding = part.partition(b";")[0].strip()
        if coding not in {b"", b"identity"}:
            yield _ALIASES.get(coding, coding)


def _values(fields: list[bytes], name: bytes) -> Iterator[bytes]:
    for field in fields:
        found, colon, value = field.partition(b":")
        if colon and found.lower() == name:
            yield value.strip()


def _without(fields: list[bytes], name: bytes) -> list[bytes]:
    return [field for field in fields if field.partition(b":")[0].lower() != name]
