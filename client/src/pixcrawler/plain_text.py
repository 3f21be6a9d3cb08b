"""Makes texts of a server safe for a terminal and for a file system."""

import json
import re
from typing import Any

# control characters (C0, DEL, C1), line separators, and characters that change the direction of text: they could move
# the cursor, hide text or show another text than there is
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_UNSAFE_BUT_NEWLINE = re.compile(_UNSAFE.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*]')
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_MAX_NAME_BYTES = 200


def plain(text: object) -> str:
    """Returns one line without characters that a terminal may act on. Each is replaced by U+FFFD."""
    return _UNSAFE.sub("\ufffd", str(text))


def plain_lines(text: object) -> str:
    """Returns the text like `plain`, but with its line breaks."""
    return _UNSAFE_BUT_NEWLINE.sub("\ufffd", str(text))


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """Returns JSON in printable ASCII, so that no text in it acts on a terminal."""
    return json.dumps(value, indent=indent, ensure_ascii=True).replace("\x7f", "\\u007f")


def file_name(name: str) -> str:
    """Returns a name that is safe for a file in the current folder, on each system.

    Raises:
        ValueError: nothing is left of the name.
    """
    safe = _NOT_IN_NAMES.sub("_", plain(name)).strip(". ")
    # file systems count bytes, and half a character at the start is left out
    safe = safe.encode()[-_MAX_NAME_BYTES:].decode(errors="ignore").lstrip(". ")
    if not safe:
        raise ValueError(f"{name!r} is no name for a file")
    return f"_{safe}" if _DEVICES.fullmatch(safe) else safe
