"""Writes the parts of the report: histograms, galleries and tables with bars."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from shared.archiving.layout.contents import Piece
from shared.archiving.report.scales import BINS, SCALES, Scale
from shared.archiving.report.survey import Gallery, ScoreSurvey, number
from shared.archiving.report.texts import text

_HEIGHT = 100
MOST_PICTURE_BYTES: Final = 600_000
"""How many bytes of JPEG the report embeds. Base64 makes them a third larger."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its name and perhaps a line below it as HTML, its numbers, and how long its bar is, 0 to 1."""

    name: str
    numbers: Sequence[int]
    bar: float
    note: str = ""


def table(head: Sequence[str], rows: Sequence[Row], further: str = "") -> Iterator[str]:
    """Yields a table whose rows have bars. `further` stands below it, if it is not empty."""
    first, *others = head
    yield f'<table><thead><tr><th scope="col">{first}</th>'
    yield "".join(f'<th scope="col">{name}</th>' for name in others)
    yield "</tr></thead><tbody>"
    for row in rows:
        note = f"<small>{row.note}</small>" if row.note else ""
        width = f"{100 * row.bar:.1f}"
        yield f'<tr><th scope="row">{row.name}{note}<i style="width:{width}%"></i></th>'
        yield "".join(f"<td>{value:,}</td>" for value in row.numbers)
        yield "</tr>"
    yield "</tbody></table>"
    if further:
        yield f'<p class="further">{further}</p>'


def histogram(score: ScoreSurvey) -> Iterator[str]:
    """Yields a score's histogram as SVG, and its scale below it."""
    scale = SCALES[score.name]
    highest, edges = max(1, *score.counts), scale.edges
    middle = f"median {number(score.median)}"
    label = f"{scale.title} of the images: {middle}, 5 % below {number(score.percentile_5)}, "
    label += f"5 % above {number(score.percentile_95)}"
    yield f'<figure><svg role="img" aria-label="{label}" viewBox="0 0 {BINS} {_HEIGHT}" preserveAspectRatio="none">'
    for place, count in enumerate(score.counts):
        if count:
            height = max(1.0, _HEIGHT * count / highest)
            yield f'<rect x="{place + 0.06:g}" y="{_HEIGHT - height:.1f}" width="0.88" height="{height:.1f}">'
            yield f"<title>{number(edges[place])} to {number(edges[place + 1])}: {count:,}</title></rect>"
    at = f"{BINS * _place(scale, score.median):.2f}"
    yield f'<line x1="{at}" x2="{at}" y1="0" y2="{_HEIGHT}"/></svg><div class="ticks" aria-hidden="true">'
    for tick in scale.ticks:
        yield f'<span style="left:{100 * _place(scale, tick):.1f}%">{_short(tick)}</span>'
    yield f"</div><figcaption><span>5 % below {number(score.percentile_5)}</span> · <b>{middle}</b> · "
    yield f"<span>5 % above {number(score.percentile_95)}</span></figcaption></figure>"


class Pictures:
    """Embeds small JPEGs, until they have `MOST_PICTURE_BYTES`. Images beyond this and missing ones are grey."""

    def __init__(self, small: Mapping[Piece, bytes | None]) -> None:
        self._small = small
        self._left = MOST_PICTURE_BYTES

    def gallery(self, found: Gallery) -> Iterator[str]:
        """Yields the images with their values, and nothing for a gallery without images."""
        if not found.exhibits:
            return
        yield f'<h4>{found.title}</h4><ul class="gallery">'
        for exhibit in found.exhibits:
            label, value = text(exhibit.label), text(exhibit.value)
            yield f'<li title="{text(exhibit.path)} ({label})">'
            yield self._picture(exhibit.piece, f"{label}, {value}")
            if found.labelled:
                yield f'<em dir="auto">{label}</em>'
            yield f"<span>{value}</span></li>"
        yield "</ul>"

    def _picture(self, piece: Piece, words: str) -> str:
        data = self._small.get(piece)
        if data is None or len(data) > self._left:
            return f'<div role="img" aria-label="{words}"></div>'
        self._left -= len(data)
        encoded = base64.b64encode(data).decode()
        return f'<img alt="{words}" src="data:image/jpeg;base64,{encoded}">'


def _short(tick: float) -> str:
    return f"{tick / 1000:g}k" if tick >= 1000 else f"{tick:g}"


def _place(scale: Scale, value: float) -> float:
    """Returns where a value is on the scale, from 0 to 1."""
    value = min(max(value, scale.low), scale.high)
    if scale.logarithmic:
        return log(value / scale.low) / log(scale.high / scale.low)
    return (value - scale.low) / (scale.high - scale.low)
