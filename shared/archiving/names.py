"""Names that every file system and archive reader takes, and that never run together."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]')
# devices of Windows, and the file that stands beside the folders
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?|metadata\.jsonl", re.IGNORECASE)
_MAX_BYTES = 120


def folder_names(labels: Sequence[str]) -> dict[str, str]:
    """A folder name for each label: the label itself where it is safe and stands alone, else with a hash behind it.

    Names that differ in case only, or only after they were made safe, are told apart; the result depends on nothing
    but the set of labels.
    """
    safe = {label: _safe(label) for label in labels}
    taken: dict[str, int] = {}
    for name in safe.values():
        taken[name.casefold()] = taken.get(name.casefold(), 0) + 1
    return {
        label: name if name == label and taken[name.casefold()] == 1 else f"{name}-{_digest(label)}"
        for label, name in safe.items()
    }


def _safe(label: str) -> str:
    text = unicodedata.normalize("NFC", label)
    text = _FORBIDDEN.sub("_", text).strip(" .")
    text = "".join(character for character in text if unicodedata.category(character) != "Cs")
    while len(text.encode()) > _MAX_BYTES:
        text = text[:-1]
    text = text.strip(" .")
    if not text or _RESERVED.fullmatch(text) or text.startswith("~"):
        text = f"_{text}"
    return text


def _digest(label: str) -> str:
    return hashlib.sha256(label.encode("utf-8", "surrogatepass")).hexdigest()[:8]
