"""Makes the fields of an image for annotations of any format.

They say what the image is, where it comes from, and under which terms. Missing texts are empty, never null: a column
of nulls has no type, so its type would differ from that in other splits.
"""

from typing import NamedTuple

from shared.archiving.texts.credit import credit_line
from shared.records.licenses import asks_for_attribution
from shared.records.records import Kept, Record

COLUMNS: dict[str, type[str] | type[int]] = {
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
    fields: dict[str, str | int]


def annotation_fields(record: Record, kept: Kept, file_name: str) -> dict[str, str | int]:
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
    }
