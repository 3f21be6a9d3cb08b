"""What hand-made GIFs are put together from."""

from itertools import batched

_SIDE = 32
_WIDTH = 9  # bits of a code, as long as the table is cleared in time
_CLEAR, _STOP = 256, 257
_UNTIL_CLEARED = 250
PALETTE = bytes(value for number in range(256) for value in (number, 255 - number, number // 2))
NOTE = b"!\xfe\6a note\0"


def gif(*blocks: bytes) -> bytes:
    """A file of these blocks."""
    side = _SIDE.to_bytes(2, "little")
    return b"GIF89a" + side + side + b"\xf7\0\0" + PALETTE + b"".join(blocks) + b";"


def frame(width: int = _SIDE, height: int = _SIDE, shift: int = 0, data: bytes | None = None) -> bytes:
    """A frame; `data` is in the place of its pixels and their code size."""
    place = b"".join(number.to_bytes(2, "little") for number in (0, 0, width, height))
    return b"," + place + b"\0" + (_pixels(width * height, shift) if data is None else data)


def control(body: bytes = b"\0\x0a\0\0") -> bytes:
    """What stands before a frame."""
    return b"!\xf9" + bytes([len(body)]) + body + (b"\0" if body else b"")


def _pixels(count: int, shift: int) -> bytes:
    codes = [_CLEAR]
    for part in batched(range(count), _UNTIL_CLEARED, strict=False):
        codes += [(7 * at + at * at // 97 + shift) % 256 for at in part] + [_CLEAR]
    bits = sum(code << _WIDTH * number for number, code in enumerate([*codes, _STOP]))
    packed = bits.to_bytes(-(-_WIDTH * (len(codes) + 1) // 8), "little")
    return (
        b"\x08"
        + b"".join(bytes([len(part)]) + bytes(part) for part in batched(packed, 255, strict=False))
        + b"\0"
    )
