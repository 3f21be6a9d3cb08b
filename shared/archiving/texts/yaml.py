"""Writes YAML 1.2, line by line. JSON on one line is also YAML, except for some characters."""

import json
import re
from typing import override

from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.metadata import Placed
from shared.text.hidden import HIDDEN

# `json.dumps` would make an encoder for each call
_json = json.JSONEncoder(ensure_ascii=False).encode
# includes the characters that YAML forbids or that some readers take for line breaks (YAML 1.2, 5.1 and 5.4)
_HIDDEN = re.compile(f"[{HIDDEN}\u200c\u200d]")


class Yaml(Annotation):
    """A YAML 1.2 sequence of flow mappings. JSON scalars are YAML scalars."""

    @override
    def begin(self) -> bytes:
        return b"images:\n"

    @override
    def row(self, image: Placed) -> bytes:
        return f"- {yaml_of(image.fields)}\n".encode("utf-8", "replace")


def yaml_of(value: object) -> str:
    """Returns JSON on one line that is also YAML.

    Invisible characters and those that YAML forbids are escaped (YAML 1.2, 5.7).
    """
    text = _json(value)
    if text.isascii() and "\x7f" not in text:
        return text
    return _HIDDEN.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\U{number:08x}" if number > 0xFFFF else f"\\u{number:04x}"
