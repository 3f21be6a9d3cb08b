"""Writes the embeddings of a dataset as files that `numpy.load` reads.

Format: version 1.0, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. The header, which NumPy
itself writes, has the number of rows. So it is known before the first row.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Final, override

import numpy as np
from numpy.lib.format import write_array_header_1_0

from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.metadata import Placed

NPY: Final = "application/x-npy"
"""The media type. None is registered; this is the one that some programs use."""

_TYPE: Final = np.dtype("<f2")


class Embeddings(Annotation):
    """A file with a row of 16-bit floats for each image, in the order in which annotation files have the images.

    A row of NaN stands for an image without an embedding. With a `split`, the file has the images of that split.
    """

    described = True

    def __init__(self, name: str, rows: int, dimensions: int, split: str | None) -> None:
        super().__init__(name)
        self._shape = rows, dimensions
        self._split = split
        self._missing = np.full(dimensions, np.nan, _TYPE).tobytes()

    @override
    def begin(self) -> bytes:
        out = BytesIO()
        write_array_header_1_0(out, {"descr": _TYPE.str, "fortran_order": False, "shape": self._shape})
        return out.getvalue()

    @override
    def rows(self, images: Sequence[Placed]) -> bytes:
        return b"".join(
            image.embedding or self._missing for image in images if self._split in {image.split, None}
        )
