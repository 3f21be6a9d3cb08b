"""Labels out of data."""

import unicodedata

MAX_LABEL_CHARACTERS = 200


def clean_label(value: object) -> str | None:
    """The label: NFC, trimmed, without control characters, 200 characters at most; None where nothing is left."""
    if value is None or isinstance(value, (dict, list)):
        return None
    text = unicodedata.normalize("NFC", str(value)[:2000])
    if not text.isprintable():
        text = "".join(character for character in text if unicodedata.category(character) not in {"Cc", "Cs"})
    return text.strip()[:MAX_LABEL_CHARACTERS].strip() or None
