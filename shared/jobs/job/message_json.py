"""Decodes the JSON in a queue message, in all forms that producers' tools give it.

The SDKs for Python, JavaScript and Go, and the CLI, send plain text. Those for .NET and Java may encode it as base64,
and so do Event Grid and hand-written scripts. Some tools break base64 into lines (RFC 2045), omit the padding, or use
the alphabet for URLs (RFC 4648, section 5). The text, encoded or not, may begin with a byte order mark, and may be
UTF-16, as on Windows.
"""

import base64
import json
import re

from shared.errors import InvalidRequest
from shared.text.strict_json import read_json

_URL_ALPHABET = str.maketrans("-_", "+/")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_WHITE_SPACE = re.compile(r"\s+")
_MARK = "\ufeff"


def decode_json(message: str | bytes) -> object:
    """Returns the JSON value in a message, which is plain JSON or base64 of JSON.

    Raises:
        FlawedJson: it is JSON, but `read_json` refuses a part of it.
        InvalidRequest: it is neither JSON nor base64 of JSON.
    """
    try:
        text = _text(message)
        packed = _WHITE_SPACE.sub("", text)
        # no JSON object or list has only these characters
        if _BASE64.fullmatch(packed):
            text = _text(_unpacked(packed))
    except ValueError:
        raise InvalidRequest("The message is not JSON, nor base64 of it.") from None
    return read_json(text, "The message")


def _text(data: str | bytes) -> str:
    """Returns the text without a byte order mark, and without white space at its ends."""
    if isinstance(data, bytes):
        data = data.decode(json.detect_encoding(data))
    return data.strip().removeprefix(_MARK).strip()


def _unpacked(packed: str) -> bytes:
    digits = packed.translate(_URL_ALPHABET).rstrip("=")
    return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
