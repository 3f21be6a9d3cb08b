"""Writes JSON on one line that is safe for readers which take other characters than LF for line ends."""

import json
import re

from pydantic_core import to_json

from shared.text.hidden import HIDDEN

_HIDDEN = re.compile(f"[{HIDDEN}\u200c\u200d]")


def json_line(value: object) -> bytes:
    """Returns the value as JSON, without the end of the line.

    Invisible characters are escaped (RFC 8259, section 7), because some readers break lines at U+2028 and others. The
    value stays the same.
    """
    data = to_json(value)
    if data.isascii():
        return data
    text = data.decode()
    return data if text.isprintable() else _HIDDEN.sub(_escaped, text).encode()


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
