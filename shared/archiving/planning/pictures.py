"""Makes what a dataset shows of its images: the preview, and the small images in the report."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.archiving.formats.format import ArchiveFormat
from shared.archiving.layout.contents import Piece
from shared.archiving.layout.names import file_name
from shared.archiving.planning.choose import Choice
from shared.archiving.planning.preview import PreviewMaker, choose_samples, count_labels
from shared.archiving.report.survey import Survey, survey

PICTURE_SIDE: Final = 128
"""How many pixels wide and high the images in the report are at most."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a dataset shows of its images.

    Without a `preview`, it has none. Without a `survey`, it has no report. `small` has a JPEG of each image of the
    survey, or None.
    """

    preview: bytes = b""
    survey: Survey | None = None
    small: Mapping[Piece, bytes | None] = field(default_factory=dict)


async def show(choice: Choice, form: ArchiveFormat, previews: PreviewMaker | None) -> Shown:
    """Makes what the dataset shows, which is nothing if it has no images. Without a maker, no images are shown.

    Raises:
        Retryable: storage did not answer.
    """
    if not len(choice.images):
        return Shown()
    found = await asyncio.to_thread(_survey, choice, form)
    if previews is None:
        return Shown(survey=found)
    labels = choice.columns.labels
    samples = await asyncio.to_thread(choose_samples, choice.images, choice.contents, labels, found.pieces)
    pictures = await previews.make(samples, count_labels(choice.images), found.pieces, PICTURE_SIDE)
    return Shown(pictures.preview or b"", found, pictures.small)


def _survey(choice: Choice, form: ArchiveFormat) -> Survey:
    columns, contents = choice.columns, choice.contents

    def path_of(row: int) -> str:
        split, folder = contents.splits[choice.places.split[row]], contents.folders[columns.label[row]]
        return form.path(split, folder, file_name(int(columns.index[row]), int(columns.extension[row])))

    return survey(columns, choice.selection, choice.outliers, path_of)
