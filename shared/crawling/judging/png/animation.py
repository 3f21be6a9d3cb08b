"""Checks the chunks of an animated PNG (PNG, third edition, 11.3.6)."""

from collections.abc import Sequence

from shared.crawling.judging.png.chunks import Chunk, Png

ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})
_DISPOSALS, _BLENDS = 3, 2


def is_animation_sound(png: Png) -> bool:
    """Returns whether the file has an animation with all chunks that it declares, in a valid order.

    The pixels of the frames are not checked.
    """
    found = [chunk for chunk in png.chunks if chunk.kind in ANIMATION]
    controls = [chunk for chunk in found if chunk.kind == b"acTL"]
    frames = [chunk for chunk in found if chunk.kind == b"fcTL"]
    if len(controls) != 1 or not all(chunk.sound for chunk in found) or not _are_sizes_right(found):
        return False
    pixels = png.pixels_at
    declared = int.from_bytes(png.content(controls[0])[:4])
    return (
        controls[0].start < png.chunks[pixels].start
        and declared == len(frames) > 0
        and _are_numbered(png, found)
        and all(_is_frame_right(png, frame) for frame in frames)
        and _has_data_for_each_frame(png, pixels)
    )


def _are_sizes_right(found: Sequence[Chunk]) -> bool:
    sizes = {b"acTL": (8,), b"fcTL": (26,), b"fdAT": range(4, 1 << 31)}
    return all(chunk.end - chunk.start in sizes[chunk.kind] for chunk in found)


def _are_numbered(png: Png, found: Sequence[Chunk]) -> bool:
    numbers = [int.from_bytes(png.content(chunk)[:4]) for chunk in found if chunk.kind != b"acTL"]
    return numbers == list(range(len(numbers)))


def _is_frame_right(png: Png, frame: Chunk) -> bool:
    control = png.content(frame)
    width, height, left, top = (int.from_bytes(control[at : at + 4]) for at in range(4, 20, 4))
    return (
        min(width, height) > 0
        and left + width <= png.width
        and top + height <= png.height
        and control[24] < _DISPOSALS
        and control[25] < _BLENDS
    )


def _has_data_for_each_frame(png: Png, pixels: int) -> bool:
    """Returns whether the frames' controls and data are in a valid order. `pixels` is the position of the first IDAT.

    At most one frame control (fcTL) is before the pixels, and its frame has the picture's size. Data follows each later
    one.
    """
    before = [chunk for chunk in png.chunks[:pixels] if chunk.kind in ANIMATION and chunk.kind != b"acTL"]
    if [chunk.kind for chunk in before] not in ([], [b"fcTL"]):
        return False
    if before and png.content(before[0])[4:20] != png.width.to_bytes(4) + png.height.to_bytes(4) + bytes(8):
        return False
    waiting = False
    for last, chunk in zip(png.chunks[pixels:], png.chunks[pixels + 1 :], strict=False):
        if chunk.kind == b"fdAT" and not (waiting or last.kind == b"fdAT"):
            return False
        if waiting and chunk.kind in {b"fcTL", b"IEND"}:
            return False
        waiting = chunk.kind == b"fcTL" or (waiting and chunk.kind != b"fdAT")
    return True
