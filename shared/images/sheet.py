"""Draws a contact sheet: small images in rows, grouped by label, with the labels as text.

It takes some milliseconds of processor time for each image: run it in a thread.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Final
from unicodedata import combining, normalize

from PIL import Image, ImageDraw, ImageFont

from shared.text.hidden import without_hidden

CELL: Final = 128
"""The side of an image's cell in pixels. Images have at most this size."""

COLUMNS: Final = 6
"""How many images a row has at most."""

_GAP, _TEXT_HEIGHT, _FONT_SIZE = 8, 28, 16
_PAPER, _INK, _FADED = (255, 255, 255), (32, 32, 32), (112, 112, 112)
_WIDTH = _GAP + COLUMNS * (CELL + _GAP)
_QUALITY = 85
_MOST_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Cell:
    """A small JPEG, or None if there is none: then the cell is filled with the colour, "#rrggbb"."""

    data: bytes | None
    color: str


@dataclass(frozen=True, slots=True)
class Group:
    """The images of one label, and how many images the dataset has of it."""

    label: str
    image_count: int
    cells: Sequence[Cell]


def draw_sheet(groups: Sequence[Group], note: str = "") -> bytes:
    """Returns the sheet as a JPEG. It is 824 pixels wide; its height depends on the groups. The note stands last."""
    rows = [[*batched(group.cells, COLUMNS, strict=False)] for group in groups]
    height = _GAP + sum(_TEXT_HEIGHT + len(of_group) * (CELL + _GAP) for of_group in rows)
    sheet = Image.new("RGB", (_WIDTH, height + (_TEXT_HEIGHT if note else 0)), _PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT_SIZE)
    top = _GAP
    for group, of_group in zip(groups, rows, strict=True):
        _write(pen, font, top, group.label, f"  {group.image_count:,}")
        top += _TEXT_HEIGHT
        for row in of_group:
            for column, cell in enumerate(row):
                _paste(sheet, cell, _GAP + column * (CELL + _GAP), top)
            top += CELL + _GAP
    if note:
        _write(pen, font, top, "", note)
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _paste(sheet: Image.Image, cell: Cell, left: int, top: int) -> None:
    """Puts the image into the middle of its cell."""
    if cell.data is None:
        sheet.paste(Image.new("RGB", (CELL, CELL), cell.color), (left, top))
        return
    with Image.open(io.BytesIO(cell.data), formats=("JPEG",)) as opened:
        image = opened.convert("RGB")
    image.thumbnail((CELL, CELL))
    sheet.paste(image, (left + (CELL - image.width) // 2, top + (CELL - image.height) // 2))


def _write(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    top: int,
    label: str,
    faded: str,
) -> None:
    """Writes a label and a text in a paler colour on one line. A long label is cut to the width of the sheet."""
    room = _WIDTH - 2 * _GAP - pen.textlength(faded, font)
    text = _drawable(without_hidden(label)[:_MOST_CHARACTERS], font)
    while text and pen.textlength(text, font) > room:
        text = text[:-1]
    pen.text((_GAP, top), text, _INK, font)
    pen.text((_GAP + pen.textlength(text, font), top), faded, _FADED, font)


def _drawable(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Returns a text that the font can draw: accents are removed, and other scripts become boxes.

    Pillow's own font has few letters beside those of ASCII. Without FreeType it refuses others.
    """
    plain = "".join(sign for sign in normalize("NFKD", text) if not combining(sign))
    return plain if isinstance(font, ImageFont.FreeTypeFont) else plain.encode("ascii", "replace").decode()
