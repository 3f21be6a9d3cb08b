"""Draws a contact sheet: small images in rows, grouped by label, with the labels as text.

It takes some milliseconds of processor time for each image: run it in a thread.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Final

from PIL import Image, ImageDraw, ImageOps

from shared.archiving.planning.preview import COLUMNS
from shared.images.lettering import draw_text, text_width

CELL: Final = 128
"""The side of an image's cell in pixels. The middle of the image fills it."""

_GAP, _TEXT_HEIGHT, _BASE_LINE = 8, 28, 18
_PAPER, _INK, _FADED, _EMPTY = (255, 255, 255), (32, 32, 32), (112, 112, 112), (224, 224, 224)
_WIDTH = _GAP + COLUMNS * (CELL + _GAP)
_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Group:
    """The images of one label, and how many images the dataset has of it.

    An image is a small JPEG, or None if it cannot be shown: then its cell is grey.
    """

    label: str
    image_count: int
    images: Sequence[bytes | None]


def draw_sheet(groups: Sequence[Group], note: str = "") -> bytes:
    """Returns the sheet as a JPEG. It is 824 pixels wide; its height depends on the groups. The note stands last.

    The same groups give the same bytes on every machine with the same libraries.
    """
    rows = [[*batched(group.images, COLUMNS, strict=False)] for group in groups]
    height = _GAP + sum(_TEXT_HEIGHT + len(of_group) * (CELL + _GAP) for of_group in rows)
    sheet = Image.new("RGB", (_WIDTH, height + (_TEXT_HEIGHT if note else 0)), _PAPER)
    pen, top = ImageDraw.Draw(sheet), _GAP
    for group, of_group in zip(groups, rows, strict=True):
        _write(pen, top, group.label, f"{group.image_count:,}")
        top += _TEXT_HEIGHT
        for row in of_group:
            for column, image in enumerate(row):
                _paste(sheet, image, _GAP + column * (CELL + _GAP), top)
            top += CELL + _GAP
    if note:
        draw_text(pen, (_GAP, top + _BASE_LINE), note, _FADED, _WIDTH - 2 * _GAP)
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _paste(sheet: Image.Image, data: bytes | None, left: int, top: int) -> None:
    """Fills a cell with the middle of the image."""
    if data is None:
        sheet.paste(Image.new("RGB", (CELL, CELL), _EMPTY), (left, top))
        return
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as opened:
        sheet.paste(ImageOps.fit(opened.convert("RGB"), (CELL, CELL)), (left, top))


def _write(pen: ImageDraw.ImageDraw, top: int, label: str, count: str) -> None:
    """Writes a label and, after it in a paler colour, the number of its images on one line."""
    base, count_width = top + _BASE_LINE, text_width(count)
    room = _WIDTH - 3 * _GAP - count_width
    left = _GAP + draw_text(pen, (_GAP, base), label, _INK, room)
    draw_text(pen, (left + _GAP, base), count, _FADED, count_width)
