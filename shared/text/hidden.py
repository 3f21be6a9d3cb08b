"""Invisible characters that change the text around them: where a line ends, or in which order it is shown.

They are part of the texts that sources declare, and they stay in the data. Text for people shows or omits them.
"""

import re

HIDDEN = (
    # controls
    "\x00-\x1f\x7f-\x9f"
    # separators of lines and paragraphs
    "\u2028\u2029"
    # characters of direction (UAX 9)
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    # empty characters
    "\xad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb"
    # tags, and code points that are not characters
    "\ufffe\uffff\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
"""This is the content of a character class of `re`. It has no joiners (U+200C, U+200D) and no variation selectors,
because many scripts and emoji need them. `str.isprintable` is false for each character.
"""

# flags of three countries are made with tags
_HIDDEN = re.compile(f"(\U0001f3f4[\U000e0061-\U000e007a]{{5}}\U000e007f)|[{HIDDEN}]")


def without_hidden(text: str) -> str:
    """Returns the text on one line, without invisible characters."""
    # most texts are printable and need no search
    if text.isprintable():
        return " ".join(text.split())
    return " ".join(_HIDDEN.sub(lambda found: found[1] or "", " ".join(text.split())).split())


def showing_hidden(text: str) -> str:
    """Returns the text on one line, with each invisible character replaced by its code point, as in <U+202E>."""
    if text.isprintable():
        return " ".join(text.split())
    return _HIDDEN.sub(lambda found: found[1] or f"<U+{ord(found[0]):04X}>", " ".join(text.split()))
