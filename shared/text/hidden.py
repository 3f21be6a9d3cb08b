"""Invisible characters that change the text around them: where a line ends, or in which order it is shown.

They are part of the texts that sources give, and stay in data. Text that people read shows or omits them.
"""

import re

HIDDEN = (
    "\x00-\x1f\x7f-\x9f"  # controls
    "\u2028\u2029"  # separators of lines and paragraphs
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # of direction (UAX 9)
    "\xad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb"  # empty
    "\ufffe\uffff\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"  # no characters, and tags
)
"""All of them, for a character class of `re`. Joiners (U+200C, U+200D) and variation selectors are not among them,
because many scripts and emoji need them. `str.isprintable` is false for each.
"""

# flags of three countries are made with tags
_HIDDEN = re.compile(f"(\U0001f3f4[\U000e0061-\U000e007a]{{5}}\U000e007f)|[{HIDDEN}]")


def without_hidden(text: str) -> str:
    """The text on one line, without them."""
    if text.isprintable():  # most texts are, and need not be looked at sign by sign
        return " ".join(text.split())
    return " ".join(_HIDDEN.sub(lambda found: found[1] or "", " ".join(text.split())).split())


def showing_hidden(text: str) -> str:
    """The text on one line, with their code points in their place, as <U+202E>."""
    if text.isprintable():
        return " ".join(text.split())
    return _HIDDEN.sub(lambda found: found[1] or f"<U+{ord(found[0]):04X}>", " ".join(text.split()))
