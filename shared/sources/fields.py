"""Reads fields of other people's JSON, where anything can be missing, null or of another type."""

import unicodedata
from collections.abc import Mapping

_MAX_CHARACTERS = 2000


def text_of(value: object) -> str | None:
    """The text, without control characters, trimmed, 2,000 characters (URLs: 8,000) at most; None for all else."""
    if not isinstance(value, str):
        return None
    limit = 8000 if value.startswith(("http://", "https://")) else _MAX_CHARACTERS
    cleaned = "".join(
        " " if unicodedata.category(character) == "Cc" else character
        for character in value[:limit]
        if unicodedata.category(character) != "Cs"
    )
    return cleaned.strip() or None


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
