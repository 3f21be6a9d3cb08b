"""Reads the encoding that a page declares in a meta element near its beginning, before the page is parsed.

Source: WHATWG HTML standard, 13.2.3.2 "Prescan a byte stream to determine its encoding".
"""

import re
from collections.abc import Callable, Iterator, Mapping

_TAG = re.compile(rb"</?[A-Za-z]")
_META = re.compile(rb"<meta(?=[ \t\n\f\r/])", re.IGNORECASE)
_SPACE_OR_SLASH = re.compile(rb"[ \t\n\f\r/]*")
_SPACE = re.compile(rb"[ \t\n\f\r]*")
_NAME = re.compile(rb"=?[^= \t\n\f\r/>]*")
_BARE_VALUE = re.compile(rb"[^ \t\n\f\r>]*")
_END_OF_NAME = re.compile(rb"[ \t\n\f\r>]")
_CHARSET = re.compile(r"charset[ \t\n\f\r]*=[ \t\n\f\r]*", re.IGNORECASE)
_LABEL = re.compile(r"[^ \t\n\f\r;]*")


def declared_encoding(head: bytes, encoding_in_page: Callable[[str], str | None]) -> str | None:
    """Returns the encoding of the first complete meta element with a known label, or None if there is none.

    `head` is the beginning of the page; browsers take the first 1,024 bytes. Comments are skipped. Scripts are not,
    because nothing is parsed yet. `encoding_in_page` maps a label to its encoding, or to None if the label is
    unknown.
    """
    at = 0
    while (at := head.find(b"<", at)) >= 0:
        if head.startswith(b"<!--", at):
            # The dashes that begin the comment may also end it.
            end = head.find(b"-->", at + 2)
            if end < 0:
                return None
            at = end + 3
        elif (meta := _META.match(head, at)) is not None:
            label, at = _read_meta(head, meta.end())
            encoding = encoding_in_page(label) if label is not None else None
            if encoding is not None:
                return encoding
        elif (tag := _TAG.match(head, at)) is not None:
            at = _end_of_tag(head, tag.end())
        elif head.startswith((b"<!", b"</", b"<?"), at):
            end = head.find(b">", at)
            if end < 0:
                return None
            at = end + 1
        else:
            at += 1
    return None


def label_in_content(content: str) -> str | None:
    """Returns the label in a `content` attribute such as "text/html; charset=utf-8".

    Source: WHATWG HTML standard, "extracting a character encoding from a meta element".
    """
    found = _CHARSET.search(content)
    if found is None:
        return None
    quote = content[found.end() : found.end() + 1]
    if quote in {'"', "'"}:
        end = content.find(quote, found.end() + 1)
        return content[found.end() + 1 : end] if end >= 0 else None
    label = _LABEL.match(content, found.end())
    return label[0] if label is not None and label[0] else None


def meta_label(attributes: Mapping[str, str]) -> str | None:
    """Returns the label that a meta element with these attributes declares."""
    if "charset" in attributes:
        return attributes["charset"]
    if attributes.get("http-equiv", "").lower() == "content-type":
        return label_in_content(attributes.get("content", ""))
    return None


def _read_meta(head: bytes, at: int) -> tuple[str | None, int]:
    attributes: dict[str, str] = {}
    for name, value, end in _attributes(head, at):
        attributes.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
        at = end
    if at >= len(head):
        return None, at
    return meta_label(attributes), at


def _end_of_tag(head: bytes, at: int) -> int:
    found = _END_OF_NAME.search(head, at)
    if found is None:
        return len(head)
    at = found.start()
    for _, _, end in _attributes(head, at):
        at = end
    return at


def _attributes(head: bytes, at: int) -> Iterator[tuple[bytes, bytes, int]]:
    """Yields each attribute of a tag, and the place after it."""
    while True:
        at = _matched_end(_SPACE_OR_SLASH, head, at)
        if at >= len(head) or head[at : at + 1] == b">":
            return
        name_end = _matched_end(_NAME, head, at)
        name = head[at:name_end]
        value = b""
        at = _matched_end(_SPACE, head, name_end)
        if head[at : at + 1] == b"=":
            value, at = _value(head, _matched_end(_SPACE, head, at + 1))
        yield name, value, at


def _value(head: bytes, at: int) -> tuple[bytes, int]:
    quote = head[at : at + 1]
    if quote in {b'"', b"'"} and quote:
        end = head.find(quote, at + 1)
        return (b"", len(head)) if end < 0 else (head[at + 1 : end], end + 1)
    end = _matched_end(_BARE_VALUE, head, at)
    # A value at the cut is not complete.
    return head[at:end], end


def _matched_end(pattern: re.Pattern[bytes], head: bytes, at: int) -> int:
    found = pattern.match(head, at)
    return at if found is None else found.end()
