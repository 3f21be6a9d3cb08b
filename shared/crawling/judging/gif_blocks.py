"""Checks that a GIF has all its blocks, and copies it without the blocks that readers refuse (GIF89a, appendix B).

A frame without width, height or pixels shows nothing, but Pillow and OpenCV refuse a file with such a frame.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from shared.records.records import Reason, Rejected

_NOT_ZERO = re.compile(rb"[^\0]")
_CONTROL, _APPLICATION = 0xF9, 0xFF
_SIZES = {_CONTROL: 4, _APPLICATION: 11}
"""The size of an extension's first sub-block, by the extension's label."""

_TRUNCATED = Rejected(Reason.TRUNCATED)


class Block(NamedTuple):
    """The block's bytes are `data[start:end]`. Some readers refuse a file with a block that is not `sound`."""

    kind: Literal["frame", "control", "note"]
    start: int
    end: int
    sound: bool


def check_gif(data: bytes) -> Rejected | None:
    """Returns a rejection if the blocks do not lead to the trailer."""
    for block in blocks(data):
        if isinstance(block, Rejected):
            return block
    return None


def mend_gif(data: bytes) -> tuple[bytes, str]:
    """Returns a copy without the blocks that readers refuse, and the kinds of these blocks as in `ImageFacts.mended`.

    Returns the file itself and an empty text if no block is refused, if no frame is sound, or if the file is cut short.
    """
    kept = [data[: _first_block(data)]]
    refused: set[str] = set()
    control: bytes | None = None
    frames = 0
    at = len(kept[0])
    for block in blocks(data):
        if isinstance(block, Rejected):
            return data, ""
        content = data[block.start : block.end]
        at = block.end
        if not block.sound:
            refused.add("frames" if block.kind == "frame" else "notes")
        elif block.kind == "control":
            kept += [control or b""]
            control = content
            continue
        else:
            kept += [control or b"", content]
            frames += block.kind == "frame"
        if block.kind == "frame":
            # a control block belongs to the next frame only
            control = None
    if not refused or not frames:
        return data, ""
    return b"".join((*kept, data[at:])), ", ".join(sorted(refused))


def _first_block(data: bytes) -> int:
    return 13 + _palette_bytes(data[10]) if len(data) >= 13 else len(data)


def blocks(data: bytes) -> Iterator[Block | Rejected]:
    """Yields each block before the trailer. If the blocks do not lead to the trailer, the last item is a rejection."""
    at = _first_block(data)
    while at < len(data):
        start = at
        match data[at]:
            case 0x3B:
                return
            case 0x21:
                at = _after_blocks(data, at + 2)
                yield _extension(data, start, at)
            case 0x2C:
                flags = data[at + 9] if at + 9 < len(data) else 0
                pixels = at + 11 + _palette_bytes(flags)
                at = _after_blocks(data, pixels)
                sound = (
                    at > pixels + 1 and any(data[start + 5 : start + 7]) and any(data[start + 7 : start + 9])
                )
                yield Block("frame", start, at, sound)
            case 0:
                # some writers put padding between blocks; OpenCV and libvips refuse it
                found = _NOT_ZERO.search(data, at)
                at = found.start() if found else len(data)
                yield Block("note", start, at, sound=False)
            case _:
                yield Rejected(Reason.CORRUPT, "no such block")
                return
    yield _TRUNCATED


def _extension(data: bytes, start: int, end: int) -> Block:
    label = data[start + 1] if start + 1 < len(data) else 0
    size = data[start + 2] if start + 2 < len(data) else 0
    sound = size == _SIZES.get(label, size) and size > 0
    return Block("control" if label == _CONTROL else "note", start, end, sound)


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    """Returns the position after a chain of sub-blocks. Each begins with its length; an empty one ends the chain."""
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1
