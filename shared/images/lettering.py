"""Draws labels in any script with two fonts, and in Latin letters what both of them lack.

The fonts (see `fonts/README.md`) have the letters of Latin, Greek, Cyrillic, Armenian and Georgian, and the usual signs
of Chinese, Japanese and Korean. Letters of other scripts, and emoji, are transliterated. What has no transliteration is
drawn as its code point. So no letter becomes a box, and a machine without fonts draws the same picture.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple
from unicodedata import category, combining, normalize

from anyascii import anyascii
from PIL import ImageDraw, ImageFont

from shared.text.hidden import without_hidden

FONT_SIZE: Final = 16
"""The size of letters in pixels."""

_MOST_CHARACTERS = 100
_FOLDER = Path(__file__).parent / "fonts"
_FILES = ("dejavu_sans.woff2", "droid_sans_fallback.woff2")
# a code point that no font has: its glyph stands for all that are missing
_NO_CHARACTER = "\uffff"
_CUT = "…"
# accents and vowels of the letter before them, joiners, variation selectors
_MARKS = frozenset({"Mn", "Me", "Cf"})


class _Letters(NamedTuple):
    """Some letters, and the number of the font that draws them."""

    text: str
    font: int


def drawable(text: str) -> str:
    """Returns the text as `draw_text` draws it: with transliterations and code points in place of missing letters."""
    return "".join(letters.text for letters in _letters(text))


def text_width(text: str) -> float:
    """Returns how many pixels wide the text is if it is drawn in full."""
    return _width(list(_letters(text)))


def draw_text(
    pen: ImageDraw.ImageDraw, place: tuple[float, float], text: str, color: tuple[int, int, int], room: float
) -> float:
    """Draws a text on one line, cut to `room` pixels. The place is the left end of its base line.

    Returns how many pixels wide the text is.
    """
    letters = _cut(list(_letters(text)), room)
    left, base = place
    for number, group in groupby(letters, key=lambda one: one.font):
        part = "".join(one.text for one in group)
        pen.text((left, base), part, color, _font(number), anchor="ls")
        left += _font(number).getlength(part)
    return left - place[0]


def _cut(letters: Sequence[_Letters], room: float) -> Sequence[_Letters]:
    if _width(letters) <= room:
        return letters
    kept = list[_Letters]()
    # from the beginning, so that what is measured stays short: a letter may be a word in Latin letters
    for letter in letters:
        if _width([*kept, letter, _Letters(_CUT, 0)]) > room:
            break
        kept.append(letter)
    return [*kept, _Letters(_CUT, 0)] if kept else []


def _width(letters: Sequence[_Letters]) -> float:
    groups = groupby(letters, key=lambda one: one.font)
    return sum(_font(number).getlength("".join(one.text for one in group)) for number, group in groups)


def _letters(text: str) -> Iterator[_Letters]:
    """Yields what is drawn for each letter of the text, or its code points if nothing else is.

    Accents that no letter of the fonts includes are left out. Fonts are used without shaping, which depends on the
    machine's libraries: therefore they have no script that needs it.
    """
    signs = normalize("NFC", without_hidden(text)[:_MOST_CHARACTERS])
    letters = [_mark(sign) if category(sign) in _MARKS else _letter(sign) for sign in signs]
    yield from letters if any(letter.text for letter in letters) else map(_code_point, signs)


@cache
def _font(number: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FOLDER / _FILES[number], FONT_SIZE, layout_engine=ImageFont.Layout.BASIC)


@cache
def _missing(number: int) -> bytes:
    return bytes(_font(number).getmask(_NO_CHARACTER))


def _letter(sign: str) -> _Letters:
    if sign.isprintable():
        for number in range(len(_FILES)):
            if bytes(_font(number).getmask(sign)) != _missing(number):
                return _Letters(sign, number)
        latin = anyascii(sign)
        if latin.strip() and latin.isprintable():
            return _Letters(latin, 0)
    return _code_point(sign)


def _mark(sign: str) -> _Letters:
    # vowels of some scripts are marks
    return _Letters("" if combining(sign) else anyascii(sign), 0)


def _code_point(sign: str) -> _Letters:
    return _Letters(f"<U+{ord(sign):04X}>", 0)
