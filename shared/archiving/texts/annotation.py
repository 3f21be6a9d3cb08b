"""Defines what all annotation files have in common."""

from collections.abc import Iterator, Sequence

from shared.archiving.texts.metadata import Placed


class Annotation:
    """One annotation file of the archive. It is written while the images' records are read.

    The file is the output of `begin`, of `rows` for each batch of images, and of `end`, in this order.
    """

    __slots__ = ("name",)

    described = False
    """Whether croissant.json describes the file, and names its checksum."""

    def __init__(self, name: str) -> None:
        self.name = name

    def begin(self) -> bytes:
        """Returns the bytes before the first image."""
        return b""

    def rows(self, images: Sequence[Placed]) -> bytes:
        """Returns the next bytes of the file, for these images."""
        return b"".join(map(self.row, images))

    def row(self, image: Placed) -> bytes:
        """Returns the bytes for one image, or empty if the file has nothing for it."""
        raise NotImplementedError

    def end(self) -> Iterator[bytes]:
        """Yields the bytes after the last image, piece by piece."""
        return iter(())
