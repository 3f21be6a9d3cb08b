"""What annotations tell of an image, whatever their format: what it is, where it comes from, under which terms.

Texts that nobody told are empty and not null: a column of nulls has no type, and so another than in a split where there
is a text.
"""

from typing import NamedTuple

from shared.licenses import License, asks_for_attribution, license_name
from shared.records import Kept, Record

COLUMNS = (
    "file_name",
    "label",
    "caption",
    "width",
    "height",
    "license",
    "license_url",
    "creator",
    "creator_url",
    "attribution",
    "source",
    "page_url",
    "url",
    "sha256",
    "perceptual_hash",
)


class Placed(NamedTuple):
    """A selected image and its place in the dataset: `path` in its archive, `local` in its split's folder.

    `told` is what annotations tell of it, with its path as the name.
    """

    record: Record
    kept: Kept
    split: str
    path: str
    local: str
    label_number: int
    told: dict[str, str | int]


def told_of(record: Record, kept: Kept, file_name: str) -> dict[str, str | int]:
    """What annotations tell of an image, by column."""
    candidate, facts = record.candidate, kept.facts
    provenance = candidate.provenance
    asked = asks_for_attribution(provenance.license)
    return {
        "file_name": file_name,
        "label": candidate.label,
        "caption": candidate.caption or "",
        "width": facts.width,
        "height": facts.height,
        "license": provenance.license,
        "license_url": provenance.license_url or "",
        "creator": provenance.creator or "",
        "creator_url": provenance.creator_url or "",
        "attribution": _one_line(attribution_line(record)) if asked else "",
        "source": provenance.source,
        "page_url": provenance.page_url or "",
        "url": candidate.url,
        "sha256": facts.sha256,
        "perceptual_hash": facts.perceptual_hash,
    }


def attribution_line(record: Record) -> str:
    """The source's own attribution, or title, author, licence and page, as far as they are known."""
    provenance = record.candidate.provenance
    if provenance.attribution:
        return provenance.attribution
    title = f'"{provenance.title}"' if provenance.title else "Untitled"
    author = f" by {provenance.creator}" if provenance.creator else ""
    name = license_name(License(provenance.license, provenance.license_version))
    where = f" ({provenance.page_url})" if provenance.page_url else ""
    return f"{title}{author}, {name}{where}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
