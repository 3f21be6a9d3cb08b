"""Makes texts from outside fit to be stored in a row and shown to people."""

_REPLACEMENT = "\ufffd"
# Persian words and emoji need these. They are harmless, although `str.isprintable` is false for them.
_JOINERS = "\u200c\u200d"
_CUT = "\u2026"


def one_line(text: str, most: int) -> str:
    """Returns the text on one line, of at most `most` UTF-16 code units. A cut text ends in an ellipsis.

    White space and line breaks of any kind become single spaces. Characters that cannot be shown or encoded become
    U+FFFD: control characters, halves of surrogate pairs, and characters that change the direction of the text.
    """
    line = " ".join(text[: 4 * most].split())
    if not line.isprintable():
        line = "".join(sign if sign.isprintable() or sign in _JOINERS else _REPLACEMENT for sign in line)
    units = line.encode("utf-16-le")
    if len(units) <= 2 * most:
        return line
    return units[: 2 * most - 2].decode("utf-16-le", "ignore") + _CUT
