"""One rule for all labels, whether they come from a spec, a list, a folder's name or another dataset.

Labels that look alike are one label. So invisible characters (Unicode's Default_Ignorable_Code_Point, UAX 44) are
removed. Exceptions are those that change the picture of the text: joiners that a script or an emoji needs, and the
tags of three flags.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.text.hidden import HIDDEN

UNLABELLED = "unlabelled"
MAX_LABEL_CHARACTERS = 200
_MAX_READ = 2000
_FLAGS = "|".join(
    "".join(chr(0xE0000 + ord(letter)) for letter in country) for country in ("gbeng", "gbsct", "gbwls")
)
_JOINERS = "\u200c\u200d"
# these are not in HIDDEN: characters that are printable but empty, and variation selectors
_EMPTY = r"\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
_NONE = r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\ud800-\udfff\ufdd0-\ufdef"
_INVISIBLE = re.compile(rf"(\U0001f3f4(?:{_FLAGS})\U000e007f)|[{HIDDEN}{_EMPTY}{_NONE}]")
# control characters that are not space, and surrogates
_FORBIDDEN = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")


def clean_label(value: object) -> str | None:
    """Returns the label as it is stored, or None if no characters remain.

    For None, callers use `UNLABELLED` or refuse the label. A clean label is in NFC and has at most 200 characters. It
    has no control characters, no invisible characters and no space at the ends. Line breaks, tabs and other space
    between words are one space. A clean label is not changed.
    """
    if value is None or isinstance(value, (dict, list, tuple)) or value != value:  # noqa: PLR0124 - not a number
        return None
    return _cleaned(str(value)[:_MAX_READ])


def _asked(value: object) -> object:
    """Cleans a label of a spec.

    Raises:
        ValueError: no characters remain, or the label has control characters.
    """
    if not isinstance(value, str):
        return value
    if _FORBIDDEN.search(value):
        raise ValueError("must not contain control characters")
    if len(value) > _MAX_READ:
        # the field's limit refuses it for its length
        return value
    label = _cleaned(value, _MAX_READ)
    if label is None:
        raise ValueError("must not be empty")
    return label


type Label = Annotated[str, Field(max_length=MAX_LABEL_CHARACTERS), BeforeValidator(_asked)]
"""A label in a spec, cleaned by `clean_label`. It is refused if it is empty, too long or has control characters."""


@lru_cache(maxsize=4096)
def _cleaned(text: str, most: int = MAX_LABEL_CHARACTERS) -> str | None:
    # U+2800 is the blank of Braille and looks like a space
    text = " ".join(text.replace("\u2800", " ").split())
    if not text.isprintable() or not text.isascii():
        text = " ".join(_INVISIBLE.sub(lambda found: found[1] or "", text).split())
    text = unicodedata.normalize("NFC", text)
    if not text.isascii():
        text = " ".join(_without_idle_joiners(text[:most]).split())
    return text[:most].strip() or None


def _without_idle_joiners(text: str) -> str:
    """Removes the joiners that do not change how the text looks."""
    kept = text
    while any(joiner in kept for joiner in _JOINERS):
        text = kept
        signs = [sign for at, sign in enumerate(text) if sign not in _JOINERS or _joins(text, at)]
        kept = unicodedata.normalize("NFC", "".join(signs))
        if kept == text:
            break
    return kept


def _joins(text: str, at: int) -> bool:
    """Whether the joiner has an effect: in a script that needs it (RFC 5892, A.1 and A.2) or between emoji."""
    from idna import valid_contextj

    before, behind = text[at - 1 : at], text[at + 1 : at + 2]
    if not before.strip() or not behind.strip():
        return False
    if text[at] == "\u200d" and unicodedata.category(before) in {"So", "Sk"} and not before.isascii():
        return unicodedata.category(behind) in {"So", "Sm"}
    return bool(valid_contextj(text, at))
