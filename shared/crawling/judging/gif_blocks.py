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

# a frame has two or three blocks, and an animation of an hour has less than 60,000 frames
_MAX_BLOCKS = 200_000
# the sub-blocks of all blocks together. Writers fill each with 255 bytes, so a million of them hold 255 MB
_MAX_SUB_BLOCKS = 1_000_000

_TRUNCATED = Rejected(Reason.TRUNCATED)
_TOO_MANY = Rejected(Reason.CORRUPT, "too many blocks")


class Block(NamedTuple):
    """The block's bytes are `data[start:end]`. Some readers refuse a file with a block that is not `sound`."""

    kind: Literal["frame", "control", "note"]
    start: int
    end: int
    sound: bool


def check_gif(data: bytes) -> Rejected | None:
    """Returns a rejection if the file ends before its trailer, or if it has too many blocks."""
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
    """Yields each block before the trailer.

    If the blocks do not lead to the trailer, or if they are too many, the last item is a rejection.
    """
    at = _first_block(data)
    sub_blocks = _MAX_SUB_BLOCKS
    for _ in range(_MAX_BLOCKS + 1):
        if at >= len(data):
            yield _TRUNCATED
            return
        start = at
        match data[at]:
            case 0x3B:
                return
            case 0x21:
                at, sub_blocks = _after_blocks(data, at + 2, sub_blocks)
                block = _extension(data, start, at)
            case 0x2C:
                flags = data[at + 9] if at + 9 < len(data) else 0
                pixels = at + 11 + _palette_bytes(flags)
                at, sub_blocks = _after_blocks(data, pixels, sub_blocks)
                block = Block("frame", start, at, _is_frame_sound(data, start, at - pixels))
            case 0:
                # some writers put padding between blocks; OpenCV and libvips refuse it
                found = _NOT_ZERO.search(data, at)
                at = found.start() if found else len(data)
                block = Block("note", start, at, sound=False)
            case _:
                yield Rejected(Reason.CORRUPT, "no such block")
                return
        if not sub_blocks:
            break
        yield block
    yield _TOO_MANY


def _is_frame_sound(data: bytes, start: int, pixel_bytes: int) -> bool:
    """Returns whether a frame has pixels, a width and a height.

    `pixel_bytes` includes the empty sub-block that ends the pixels.
    """
    return pixel_bytes > 1 and any(data[start + 5 : start + 7]) and any(data[start + 7 : start + 9])


def _extension(data: bytes, start: int, end: int) -> Block:
    label = data[start + 1] if start + 1 < len(data) else 0
    size = data[start + 2] if start + 2 < len(data) else 0
    sound = size == _SIZES.get(label, size) and size > 0
    return Block("control" if label == _CONTROL else "note", start, end, sound)


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int, most: int) -> tuple[int, int]:
    """Returns the position after a chain of sub-blocks, and how many of `most` are left.

    Each begins with its length; an empty one ends the chain. If none are left, the position may be within the chain.
    """
    while most and at < len(data) and (size := data[at]):
        at += size + 1
        most -= 1
    return at + 1, most
