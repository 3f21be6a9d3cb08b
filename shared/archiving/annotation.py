"""What all files that tell of images have in common."""

from collections.abc import Iterator, Sequence

from shared.archiving.told import Placed


class Annotation:
    """One file of the archive that tells of images, made of them as their records stream by.

    What its methods give is the file: first `begin`, then `rows` of some images after others, and `end`.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def begin(self) -> bytes:
        """What stands before the first image."""
        return b""

    def rows(self, images: Sequence[Placed]) -> bytes:
        """What comes next, now that these images are known."""
        return b"".join(map(self.row, images))

    def row(self, image: Placed) -> bytes:
        """What stands for one image; empty where the file does not concern it."""
        raise NotImplementedError

    def end(self) -> Iterator[bytes]:
        """What stands behind the last image, piece by piece."""
        return iter(())
