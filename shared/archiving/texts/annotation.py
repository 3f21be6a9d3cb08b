"""What all annotation files have in common."""

from collections.abc import Iterator, Sequence

from shared.archiving.texts.metadata import Placed


class Annotation:
    """One annotation file of the archive, written while the images' records stream by.

    The file is the output of `begin`, of `rows` for each batch of images, and of `end`, in this order.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def begin(self) -> bytes:
        """The bytes before the first image."""
        return b""

    def rows(self, images: Sequence[Placed]) -> bytes:
        """The next bytes of the file, after these images."""
        return b"".join(map(self.row, images))

    def row(self, image: Placed) -> bytes:
        """The bytes for one image; empty where the file is not about it."""
        raise NotImplementedError

    def end(self) -> Iterator[bytes]:
        """The bytes after the last image, piece by piece."""
        return iter(())
