"""Writes `report.html`: one page that shows what is in a dataset, and what may be wrong with it.

The page works without a network and has no script. It is at most 1 MB long, whatever the dataset is.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from shared.archiving.layout.contents import Piece
from shared.archiving.order import ArchiveOrder
from shared.archiving.report.parts import Pictures, Row, histogram, table
from shared.archiving.report.scales import SCALES
from shared.archiving.report.survey import Survey
from shared.archiving.report.texts import share, text
from shared.archiving.texts.card import Figures
from shared.records.licenses import License, license_name
from shared.records.reasons import EXPLANATIONS
from shared.records.records import KEPT, Reason

REPORT: Final = "report.html"
"""The name of the report among the texts of a dataset."""

MOST_ROWS: Final = 50
"""How many rows a table has at most."""

_COPIES = (str(Reason.DUPLICATE), str(Reason.NEAR_DUPLICATE))
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@dataclass(frozen=True, slots=True)
class Report:
    """What a report shows. `small` has a small JPEG of each image that the survey names, or None for a grey cell."""

    order: ArchiveOrder
    figures: Figures
    survey: Survey
    small: Mapping[Piece, bytes | None]


def report_page(report: Report) -> bytes:
    """Returns the page. The same report gives the same bytes."""
    pictures = Pictures(report.small)
    parts = [
        *_head(report),
        *_tiles(report.figures),
        *_section("classes", "Classes", _classes(report.figures)),
        *_section("scores", "Scores", _scores(report.survey, pictures)),
        *_section("outliers", "Unlike their label", _outliers(report.survey, pictures)),
        *_section("copies", "Copies", _copies(report, pictures)),
        *_section("origin", "Sources and licences", _origin(report.figures)),
        *_section("refusals", "Refused candidates", _refusals(report.figures)),
        "<footer>Every image keeps its own licence. The page embeds small copies of some images; ",
        "<code>ATTRIBUTION.md</code> names the authors who ask for it.</footer></main></body></html>\n",
    ]
    return "".join(parts).encode("utf-8", "replace")


@cache
def _style() -> str:
    return Path(__file__).with_name("report.css").read_text("utf-8")


def _head(report: Report) -> Iterator[str]:
    order, name = report.order, text(report.order.name)
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
    yield f"<title>{name}: report</title><style>{_style()}</style></head><body><main>"
    yield f'<header><p>Dataset report</p><h1 dir="auto">{name}</h1>'
    yield f"<p>Made by PixCrawler on {order.created_at:%Y-%m-%d}, job <code>{text(order.job_id)}</code></p></header>"


def _tiles(figures: Figures) -> Iterator[str]:
    found = sum(sum(outcomes.values()) for outcomes in figures.counts.values())
    kept = sum(figures.splits.values())
    copies = sum(outcomes.get(reason, 0) for outcomes in figures.counts.values() for reason in _COPIES)
    splits = ", ".join(f"{text(name)} {count:,}" for name, count in figures.splits.items())
    labels = sum(bool(outcomes.get(KEPT)) for outcomes in figures.counts.values())
    yield '<dl class="tiles">'
    for name, value, note in (
        ("Images", f"{kept:,}", splits),
        ("Labels", f"{labels:,}", "with images"),
        ("Candidates", f"{found:,}", f"{share(kept, found)} were kept"),
        ("Copies left out", f"{copies:,}", f"{share(copies, found)} of the candidates"),
    ):
        yield f"<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>"
    yield "</dl>"


def _section(name: str, title: str, content: Iterator[str]) -> Iterator[str]:
    yield f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2>'
    yield from content
    yield "</section>"


def _classes(figures: Figures) -> Iterator[str]:
    rows = [
        (label, outcomes.get(KEPT, 0), sum(outcomes.values()), sum(outcomes.get(one, 0) for one in _COPIES))
        for label, outcomes in figures.counts.items()
    ]
    rows.sort(key=lambda row: -row[1])
    most, rest = max(1, rows[0][1]), rows[MOST_ROWS:]
    further = f"{len(rest):,} further labels with {sum(row[1] for row in rest):,} images" if rest else ""
    shown = [
        Row(_name(label), (kept, copies, found), kept / most)
        for label, kept, found, copies in rows[:MOST_ROWS]
    ]
    yield from table(("label", "images", "copies", "found"), shown, further)


def _scores(survey: Survey, pictures: Pictures) -> Iterator[str]:
    yield '<div class="cards">'
    for score in survey.scores:
        scale = SCALES[score.name]
        yield f"<article><h3>{scale.title}</h3><p>{scale.meaning}</p>"
        yield from histogram(score)
        for gallery in score.galleries:
            yield from pictures.gallery(gallery)
        yield "</article>"
    yield "</div>"


def _outliers(survey: Survey, pictures: Pictures) -> Iterator[str]:
    if not survey.outlier_count:
        yield "<p>No image differs much from the others of its label in colour, entropy or perceptual hash.</p>"
        return
    yield f"<p>{survey.outlier_count:,} images differ much from the others of their label. <code>outlier</code> in the "
    yield "annotations says by what: dominant colour, entropy or perceptual hash. Many are good pictures; look at them "
    yield "first if you look for wrong labels.</p>"
    yield from pictures.gallery(survey.outliers)


def _copies(report: Report, pictures: Pictures) -> Iterator[str]:
    counts = report.figures.counts.values()
    equal, similar = (sum(outcomes.get(reason, 0) for outcomes in counts) for reason in _COPIES)
    if not equal and not similar:
        yield "<p>No candidate was a copy of another image.</p>"
        return
    yield f"<p>{equal:,} candidates have the same bytes as another image, and {similar:,} look the same. "
    yield "They were left out: the best copy of each image is kept.</p>"
    yield from pictures.gallery(report.survey.most_copied)


def _origin(figures: Figures) -> Iterator[str]:
    yield '<div class="cards"><div>'
    yield from _counts("source", figures.sources, _name)
    yield "</div><div>"
    yield from _counts("licence", figures.licenses, _license)
    yield "</div></div>"


def _counts(title: str, numbers: Mapping[str, int], shown: Callable[[str], str]) -> Iterator[str]:
    ordered = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    most, rest = max(1, *numbers.values(), 1), ordered[MOST_ROWS:]
    rows = [Row(shown(name), (count,), count / most) for name, count in ordered[:MOST_ROWS]]
    further = f"{len(rest):,} further ones with {sum(count for _, count in rest):,} images" if rest else ""
    yield from table((title, "images"), rows, further)


def _refusals(figures: Figures) -> Iterator[str]:
    totals: dict[str, int] = {}
    for outcomes in figures.counts.values():
        for reason, count in outcomes.items():
            if reason != KEPT:
                totals[reason] = totals.get(reason, 0) + count
    if not totals:
        yield "<p>No candidate was refused.</p>"
        return
    most, rows = max(totals.values()), list[Row]()
    for reason, count in sorted(totals.items(), key=lambda item: (-item[1], item[0])):
        why = EXPLANATIONS[Reason(reason)]
        note = f"{text(why.meaning)} <code>{reason}</code>"
        rows.append(Row(text(why.title), (count,), count / most, note))
    yield from table(("reason", "candidates"), rows)


def _name(found: str) -> str:
    return f'<span dir="auto">{text(found)}</span>'


def _license(code: str) -> str:
    return f"{text(license_name(License(code, None)))} <code>{text(code)}</code>"
