"""JSON on one line, whatever its reader takes for the end of a line."""

import json
import re

from pydantic_core import to_json

from shared.hidden import HIDDEN

_HIDDEN = re.compile(f"[{HIDDEN}\u200c\u200d]")


def json_line(value: object) -> bytes:
    """The value as JSON, without the line's end.

    What nobody sees, or what some readers break lines at, as U+2028, is escaped (RFC 8259, section 7): the value stays
    the same.
    """
    data = to_json(value)
    if data.isascii():
        return data
    text = data.decode()
    return data if text.isprintable() else _HIDDEN.sub(_escaped, text).encode()


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
