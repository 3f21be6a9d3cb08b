"""The JSON in a queue message, in any form that producers' tools give it.

The SDKs for Python, JavaScript and Go, and the CLI, send plain text. Those for .NET and Java may encode it as base64,
and so do Event Grid and hand-written scripts. Some break base64 into lines (RFC 2045), omit the padding, or use the
alphabet for URLs (RFC 4648, section 5). The text, encoded or not, may begin with a byte order mark, and may be UTF-16,
as on Windows.
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
    """The JSON value in a message: text, or base64 of it.

    Raises:
        FlawedJson: it has what `read_json` refuses.
        InvalidRequest: it is neither.
    """
    try:
        text = _text(message)
        packed = _WHITE_SPACE.sub("", text)
        if _BASE64.fullmatch(packed):  # no JSON object or list is made of these signs alone
            text = _text(_unpacked(packed))
    except ValueError:
        raise InvalidRequest("The message is not JSON, nor base64 of it.") from None
    return read_json(text, "The message")


def _text(data: str | bytes) -> str:
    """The text, without a byte order mark and without space around it."""
    if isinstance(data, bytes):
        data = data.decode(json.detect_encoding(data))
    return data.strip().removeprefix(_MARK).strip()


def _unpacked(packed: str) -> bytes:
    digits = packed.translate(_URL_ALPHABET).rstrip("=")
    return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
