"""Reads fields of other people's JSON, where anything can be missing, null or of another type."""

import re
import unicodedata
from collections.abc import Mapping

_MAX_CHARACTERS = 2000
_MAX_URL_CHARACTERS = 8000
_MAX_HTML_CHARACTERS = 20_000
_BREAK = re.compile(r"<(?=/?(?:br|p|div|li|tr|td)\b)", re.IGNORECASE)


def text_of(value: object) -> str | None:
    """The text, without control characters, trimmed, 2,000 characters (URLs: 8,000) at most; None for all else."""
    if not isinstance(value, str):
        return None
    limit = _MAX_URL_CHARACTERS if value.startswith(("http://", "https://")) else _MAX_CHARACTERS
    cleaned = "".join(
        " " if unicodedata.category(character) == "Cc" else character
        for character in value[:limit]
        if unicodedata.category(character) != "Cs"
    )
    return cleaned.strip() or None


def url_of(value: object) -> str | None:
    """The http(s) URL; None for all else, such as `blob:` and `javascript:`, and for one of over 8,000 characters."""
    if not isinstance(value, str) or len(value) > _MAX_URL_CHARACTERS:
        return None
    url = text_of(value)
    return url if url is not None and url.lower().startswith(("http://", "https://")) else None


def plain_text_of(value: object) -> str | None:
    """The text of a piece of HTML (of its first 20,000 characters), as `text_of`, with single spaces."""
    if not isinstance(value, str):
        return None
    html = value[:_MAX_HTML_CHARACTERS].encode(errors="ignore").decode()
    if "<" in html or "&" in html:
        html = _without_tags(html)
    return text_of(" ".join(html.split()))


def _without_tags(html: str) -> str:
    from lxml import etree
    from lxml.html import fragment_fromstring

    try:
        root = fragment_fromstring(_BREAK.sub(" <", html), create_parent=True)
    except (etree.LxmlError, ValueError):  # no markup in it at all, or bytes that no XML may have
        return ""
    etree.strip_elements(root, "script", "style", etree.Comment, etree.ProcessingInstruction, with_tail=False)
    return "".join(root.itertext())


def integer_of(value: object) -> int | None:
    """The number, also where it came as text; None for all else and for what is no size or count."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < 1_000_000_000_000 else None


def mapping_of(value: object) -> Mapping[str, object]:
    """The object, or an empty one for all else."""
    return value if isinstance(value, dict) else {}
