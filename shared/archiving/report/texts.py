"""Writes texts from outside in HTML, so that they add no markup and cannot change the text around them."""

from html import escape
from typing import Final

from shared.text.hidden import showing_hidden

MOST_CHARACTERS: Final = 120
"""How much of a text the report shows."""


def text(found: str) -> str:
    """Returns HTML that shows a text on one line: its beginning if it is long, and hidden characters as code points."""
    shown = showing_hidden(found[: 2 * MOST_CHARACTERS])
    if len(shown) > MOST_CHARACTERS or len(found) > 2 * MOST_CHARACTERS:
        shown = f"{shown[: MOST_CHARACTERS - 1]}…"
    return escape(shown)


def share(part: int, whole: int) -> str:
    """Returns a share in percent."""
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < 1:
        return f"{percent:.1f} %" if percent >= 0.1 else "< 0.1 %"
    return f"{percent:.0f} %"
