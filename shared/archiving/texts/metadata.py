"""Makes the fields of an image for annotations of any format.

They say what the image is, where it comes from, and under which terms. Missing texts are empty, never null: a column
of nulls has no type, so its type would differ from that in other splits.
"""

from typing import NamedTuple

from shared.archiving.texts.credit import credit_line
from shared.records.licenses import asks_for_attribution
from shared.records.records import Kept, Record

type Cell = str | int | float
"""The value of a column for one image."""

COLUMNS: dict[str, type[str | int | float]] = {
    "file_name": str,
    "label": str,
    "caption": str,
    "width": int,
    "height": int,
    "license": str,
    "license_url": str,
    "creator": str,
    "creator_url": str,
    "attribution": str,
    "source": str,
    "page_url": str,
    "url": str,
    "sha256": str,
    "perceptual_hash": str,
    "sharpness": float,
    "brightness": float,
    "contrast": float,
    "entropy": float,
    "aspect_ratio": float,
    "bytes_per_pixel": float,
    "dominant_color": str,
}


class Placed(NamedTuple):
    """A selected image and its path in its archive.

    `fields` are the image's annotation, by column. Its path is the file name.
    """

    record: Record
    kept: Kept
    split: str
    path: str
    label_number: int
    fields: dict[str, Cell]


def annotation_fields(record: Record, kept: Kept, file_name: str) -> dict[str, Cell]:
    """Returns the annotation of an image, by column."""
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
        "attribution": credit_line(record) if asked else "",
        "source": provenance.source,
        "page_url": provenance.page_url or "",
        "url": candidate.url,
        "sha256": facts.sha256,
        "perceptual_hash": facts.perceptual_hash,
        "sharpness": facts.sharpness,
        "brightness": facts.brightness,
        "contrast": facts.contrast,
        "entropy": facts.entropy,
        "aspect_ratio": facts.aspect_ratio,
        "bytes_per_pixel": facts.bytes_per_pixel,
        "dominant_color": facts.dominant_color,
    }
