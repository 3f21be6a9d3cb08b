"""Text that others wrote, in Markdown: shown as it is, with no link, image, markup or row of its own."""

import re

# GFM 6.1; not in mid-word. To look for a special character first takes a quarter of the time
_SPECIAL = re.compile(
    r"(?=[\\`*\[\]<>|_#~&])(?:[\\`*\[\]<>|]|(?<![^\W_])_|_(?![^\W_])|(?<!\S)[#~]|&(?=#?\w+;))"
)


def escaped(text: str) -> str:
    """One line that shows as this text; addresses in it stay as they are, as a rule."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def code(text: str) -> str:
    """One line of code that shows as this text (CommonMark 6.1: in longer rows of backticks than are in it)."""
    flat = " ".join(text.split())
    if "`" not in flat:
        return f"`{flat}`"
    fence = "`" * (1 + max(map(len, re.findall("`+", flat))))
    return f"{fence} {flat} {fence}"
