"""Reads fields of JSON from outside, in which anything can be missing, null or of another type."""

import contextlib
import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from shared.web.addresses.urls import MAX_URL_CHARACTERS

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MAX_CHARACTERS = 2000
_MAX_HTML_CHARACTERS = 20_000
# browsers read backslashes as slashes here
_WEB = re.compile(r"https?:[/\\]{2}", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ID = re.compile(r"[0-9A-Za-z._-]{1,100}")
_BREAK = re.compile(r"<(?=/?(?:br|p|div|li|tr|td)\b)", re.IGNORECASE)


def text_of(value: object) -> str | None:
    """Returns the text without control characters, trimmed and cut, or None for other types.

    It is cut to 2,000 characters, or to 8,000 if it is a URL.
    """
    if not isinstance(value, str):
        return None
    limit = MAX_URL_CHARACTERS if value.startswith(("http://", "https://")) else _MAX_CHARACTERS
    text = value[:limit]
    # most texts are printable and need no search
    if not text.isprintable():
        text = "".join(
            " " if unicodedata.category(character) == "Cc" else character
            for character in text
            if unicodedata.category(character) != "Cs"
        )
    return text.strip() or None


def address_of(value: object) -> str | None:
    """Returns a text that begins as an http(s) URL, trimmed and however long, or None for everything else.

    It does not say whether the address can be fetched. The text is not cut or cleaned, because that would make it
    another address.
    """
    text = value.strip() if isinstance(value, str) else ""
    if not _WEB.match(text):
        return None
    # no record can hold a surrogate
    return None if _SURROGATE.search(text) else text


def url_of(value: object) -> str | None:
    """Returns the http(s) URL like `address_of`, but None if it has over 8,000 characters or control characters."""
    url = address_of(value)
    return None if url is None or len(url) > MAX_URL_CHARACTERS or _CONTROL.search(url) else url


def plain_text_of(value: object) -> str | None:
    """Returns the text of the first 20,000 characters of HTML, like `text_of`, with single spaces."""
    if not isinstance(value, str):
        return None
    html = value[:_MAX_HTML_CHARACTERS].encode(errors="ignore").decode()
    if "<" in html or "&" in html:
        html = _without_tags(html)
    return text_of(" ".join(html.split()))


def link_in(value: object, base_url: str) -> str | None:
    """Returns the first http(s) link in the first 20,000 characters of HTML, or None if there is none."""
    if not isinstance(value, str) or "href" not in value:
        return None
    root = _tree(value[:_MAX_HTML_CHARACTERS].encode(errors="ignore").decode())
    for element in () if root is None else root.iter("a"):
        # the link may be no valid address
        with contextlib.suppress(ValueError):
            if url := url_of(urljoin(base_url, element.get("href", ""))):
                return url
    return None


def _tree(html: str) -> "HtmlElement | None":
    """Parses HTML below a new root, or None if it has no markup, or has characters that XML forbids."""
    from lxml import etree
    from lxml.html import fragment_fromstring

    try:
        return fragment_fromstring(html, create_parent=True)
    except (etree.LxmlError, ValueError):
        return None


def _without_tags(html: str) -> str:
    from lxml import etree

    root = _tree(_BREAK.sub(" <", html))
    if root is None:
        return ""
    etree.strip_elements(root, "script", "style", etree.Comment, etree.ProcessingInstruction, with_tail=False)
    return "".join(root.itertext())


def integer_of(value: object) -> int | None:
    """Returns the number, also from a text, or None if the value is not a number, a size or a count."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < 1_000_000_000_000 else None


def id_of(value: object) -> str | None:
    """Returns the id of an image at its source, from a number or a short text of plain characters, or None."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def mapping_of(value: object) -> Mapping[str, object]:
    """Returns the object, or an empty one for everything else."""
    return value if isinstance(value, dict) else {}
