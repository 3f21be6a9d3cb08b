"""YAML 1.2, line by line: JSON on one line is YAML as well, but for some characters."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.archiving.told import Placed

_json = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` would make an encoder for each call
# not printable, or breaks of lines to some (YAML 1.2, 5.1 and 5.4)
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(slots=True)
class Yaml:
    """A YAML 1.2 sequence of flow mappings; JSON scalars are YAML scalars."""

    name: str

    def begin(self) -> str:
        """See `Annotation`."""
        return "images:\n"

    def row(self, image: Placed) -> str:
        """See `Annotation`."""
        return f"- {yaml_of(image.told)}\n"

    def end(self) -> Iterator[str]:
        """See `Annotation`."""
        return iter(())


def yaml_of(value: object) -> str:
    """JSON on one line that is YAML as well: what YAML forbids, or readers of it take for breaks, is escaped."""
    text = _json(value)
    if text.isascii() and "\x7f" not in text:
        return text
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
