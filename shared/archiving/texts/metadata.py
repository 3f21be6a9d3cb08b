"""Makes the fields of an image for annotations of any format.

They say what the image is, where it comes from, and under which terms. Missing texts are empty, never null: in formats
without types, a column of nulls has no type, so its type would differ from that in other splits.
"""

from collections.abc import Iterable
from typing import NamedTuple

from shared.archiving.texts.credit import credit_line
from shared.records.embedded import Embedded
from shared.records.licenses import asks_for_attribution
from shared.records.records import Kept, Record

type Cell = str | int | float | None
"""The value of a column for one image. None says that a number was not measured."""
type Columns = dict[str, type[str | int | float]]
"""Columns by their names, with the types of their values."""

COLUMNS: Columns = {
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
    "outlier": str,
    "embedded_creator": str,
    "embedded_copyright": str,
    "embedded_credit": str,
    "embedded_rights_url": str,
    "embedded_licensor_url": str,
    "digital_source_type": str,
    "ai_generated": str,
    "c2pa_generator": str,
    "c2pa_validity": str,
}

OPTIONAL_COLUMNS: Columns = {"relevance": float, "faces": int, "nsfw": float}
"""The columns that only some jobs ask for, in order. They are fields of `ImageFacts`, and the only ones with nulls."""

EMBEDDED_COLUMNS = tuple(COLUMNS)[list(COLUMNS).index("embedded_creator") :]
"""The columns with what the file says about itself (`shared.records.embedded`)."""


class Placed(NamedTuple):
    """A selected image and its path in its archive.

    `fields` are the image's annotation, by column. Its path is the file name. `embedding` is its embedding as 16-bit
    floats in little-endian order, if the dataset delivers it.
    """

    record: Record
    kept: Kept
    split: str
    path: str
    label_number: int
    fields: dict[str, Cell]
    embedding: bytes = b""


def columns_with(optional: Iterable[str]) -> Columns:
    """Returns all columns of a dataset that has these optional ones."""
    wanted = set(optional)
    return COLUMNS | {name: kind for name, kind in OPTIONAL_COLUMNS.items() if name in wanted}


def annotation_fields(
    record: Record, kept: Kept, file_name: str, outlier: str = "", optional: Iterable[str] = ()
) -> dict[str, Cell]:
    """Returns the annotation of an image, by column.

    `outlier` is its mark (`selection.outliers`), in ASCII. `optional` are the optional columns of the dataset.
    """
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
        "outlier": outlier,
        **_embedded_fields(facts.embedded),
        **{name: getattr(facts, name) for name in optional},
    }


def _embedded_fields(said: Embedded) -> dict[str, Cell]:
    return {
        "embedded_creator": said.creator,
        "embedded_copyright": said.copyright_notice,
        "embedded_credit": said.credit_line,
        "embedded_rights_url": said.rights_url,
        "embedded_licensor_url": said.licensor_url,
        "digital_source_type": said.digital_source_type,
        # no declaration does not mean "no"
        "ai_generated": "yes" if said.ai_generated else "",
        "c2pa_generator": said.c2pa_generator,
        "c2pa_validity": said.c2pa_validity,
    }
