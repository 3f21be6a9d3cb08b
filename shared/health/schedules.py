"""Checks timer schedules as the host reads them: NCRONTAB of five or six fields, or a time span.

Format: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

import re

from shared.errors import Permanent

_FIELDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_ITEM = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/([1-9]\d{0,3}))?", re.ASCII)
_SPAN = re.compile(r"(\d{1,4}\.)?\d{1,2}:\d{2}:\d{2}", re.ASCII)
_NAMES = (
    *((), (), (), ()),
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
)


def check_schedule(setting: str, text: str | None, timer: str) -> None:
    """Checks that the host can start a timer.

    Raises:
        Permanent: it cannot; the text names the setting and what is wrong with it.
    """
    if text is None:
        raise Permanent(f"{setting} is not set, so the host cannot start the timer {timer}.")
    if not is_schedule(text):
        raise Permanent(
            f"{setting} is {text[:100]!r}, which is no schedule: the host cannot start the timer {timer}."
        )


def is_schedule(text: str) -> bool:
    """Returns whether a text is a schedule: six fields (five leave the seconds out), or a time span that is not 0."""
    parts = text.split()
    if len(parts) == 1:
        return _SPAN.fullmatch(parts[0]) is not None and any(digit in parts[0] for digit in "123456789")
    first = 6 - len(parts)
    return first in {0, 1} and all(_is_field(part, place) for place, part in enumerate(parts, first))


def _is_field(text: str, place: int) -> bool:
    return all(_is_item(item, place) for item in text.lower().split(","))


def _is_item(text: str, place: int) -> bool:
    match = _ITEM.fullmatch(text)
    if match is None:
        return False
    first, last = _number(match[1], place), _number(match[2] or match[1], place)
    return first is not None and last is not None and first <= last


def _number(text: str, place: int) -> int | None:
    """Returns the number if it is within the bounds of its field, or None."""
    least, most = _FIELDS[place]
    if text == "*":
        return least
    if text[:3] in _NAMES[place]:
        return _NAMES[place].index(text[:3]) + least
    return int(text) if text.isdecimal() and len(text) < 3 and least <= int(text) <= most else None
