"""Reads the records of a dataset: which images it has, and where each is in its files."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from sys import intern
from typing import Final

from pydantic import BaseModel, Field, ValidationError

from pixcrawler.errors import BrokenDownload

MAX_LINE_BYTES: Final = 4_000_000
_MAX_IMAGE_BYTES: Final = 200_000_000
_PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class KeptImage:
    """One image of a dataset. Its bytes are `size_bytes` from `offset` on in the file `blob`.

    The texts are empty where the record has none.
    """

    label: str
    split: str
    file: str
    caption: str
    license: str
    blob: str
    offset: int
    size_bytes: int
    sha256: bytes


class _Outcome(BaseModel):
    outcome: str


class _Line(BaseModel):
    label: str
    split: str = ""
    file: str = ""
    caption: str = ""
    license: str = ""
    blob: str
    offset: int = Field(ge=0)
    size_bytes: int = Field(ge=0, le=_MAX_IMAGE_BYTES)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


def kept_images(pieces: Iterable[bytes]) -> Iterator[KeptImage]:
    """Yields the images that were kept, from the bytes of a `records.jsonl.gz`.

    Raises:
        BrokenDownload: the records are damaged.
    """
    for text in _lines(_unzipped(pieces)):
        image = _image_of(text)
        if image is not None:
            yield image


def _image_of(text: bytes) -> KeptImage | None:
    """Returns the image of a record, or None if it was not kept."""
    try:
        if _Outcome.model_validate_json(text).outcome != "kept":
            return None
        line = _Line.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise BrokenDownload(f"The records of the dataset are damaged: {first['msg']}.") from None
    return KeptImage(
        label=intern(line.label),
        split=intern(line.split),
        file=line.file,
        caption=line.caption,
        license=intern(line.license),
        blob=intern(line.blob),
        offset=line.offset,
        size_bytes=line.size_bytes,
        sha256=bytes.fromhex(line.sha256),
    )


def _unzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yields the content of gzip members (RFC 1952), one after the other, in pieces of limited size."""
    member = zlib.decompressobj(wbits=31)
    inside = False
    try:
        for piece in pieces:
            rest = piece
            while rest:
                inside = True
                yield member.decompress(rest, _PIECE_BYTES)
                rest = member.unconsumed_tail
                if member.eof:
                    rest, inside = member.unused_data, False
                    member = zlib.decompressobj(wbits=31)
    except zlib.error as error:
        raise BrokenDownload(f"The records of the dataset are damaged: {error}.") from error
    if inside:
        raise BrokenDownload("The records of the dataset end early.")


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    waiting = b""
    for piece in pieces:
        *lines, waiting = (waiting + piece).split(b"\n")
        yield from (line for line in lines if line.strip())
        if len(waiting) > MAX_LINE_BYTES:
            raise BrokenDownload(f"A record of the dataset has more than {MAX_LINE_BYTES:,} bytes.")
    if waiting.strip():
        yield waiting
