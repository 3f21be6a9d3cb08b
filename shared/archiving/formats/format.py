"""What differs between the formats in which a dataset is delivered.

To add one: a class beside these, its name in `options.Output` and its object in `registry.py`.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.archiving.layout.contents import Contents, File, Images, Piece
from shared.archiving.layout.layout import Layout
from shared.archiving.order import ArchiveOrder
from shared.archiving.texts.annotation import Annotation
from shared.archiving.texts.card import Packing


class ArchiveFormat(Protocol):
    """One format of datasets: which files there are, what is in them, and what the texts say of it.

    The methods are pure. A file of kind "images" is the format's own; texts are files whose bytes stand already.
    """

    @property
    def shuffled(self) -> bool:
        """Whether a split's images stand in an order that the seed draws, or in that of their indices."""
        ...

    @property
    def sidecars(self) -> bool:
        """Whether the JSON and the text of each image stand beside it, so that they have to be written."""
        ...

    def path(self, split: str, folder: str, file: str) -> str:
        """The path of an image, as annotations name it; `folder` is its label's."""
        ...

    def image_files(self, images: Images, contents: Contents, shard_size: int) -> Sequence[File]:
        """The files that the images are in, in their order; there is at least one image, and no text yet."""
        ...

    def delivered(self, files: Sequence[File], images: Images, contents: Contents) -> Sequence[File]:
        """All files with their sizes, in the order of delivery; `files` are those of the images."""
        ...

    def image_offsets(self, file: File, images: Images, contents: Contents) -> NDArray[np.int64]:
        """Where each of a file's images begins in it. Texts change nothing about that."""
        ...

    def layout(self, file: File, images: Images, contents: Contents) -> Layout:
        """Where everything is in a file of images."""
        ...

    def content(self, file: File, entry: int, images: Images, contents: Contents) -> Piece | bytes:
        """Where the data of an entry of a file of images is, or the data itself."""
        ...

    def annotations(
        self, order: ArchiveOrder, splits: Sequence[str], labels: Sequence[str]
    ) -> Sequence[Annotation]:
        """The annotation files of an order, in the sequence in which they are delivered; `splits` have images."""
        ...

    def packing(self, order: ArchiveOrder, splits: Sequence[str]) -> Packing:
        """What the card says of the format; `splits` have images."""
        ...
