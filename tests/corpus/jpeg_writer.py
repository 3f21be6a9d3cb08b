"""Writes JPEGs that no usual encoder writes: any process, any sampling factors, any segments (T.81)."""

import random
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import ceil

type Block = tuple[int, dict[int, int]]
"""The DC coefficient, and AC coefficients by their place in zigzag order."""

AC_SYMBOLS = tuple(sorted({0x00, 0xF0} | {run << 4 | size for run in range(16) for size in range(1, 11)}))


def segment(code: int, content: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, code, len(content) + 2) + content


def tables() -> bytes:
    """All four quantization tables, and Huffman tables with every 4-bit code for DC and every 8-bit code for AC."""
    dc = bytes([0, 0, 0, 12, *[0] * 12, *range(12)])
    ac = bytes([*[0] * 7, len(AC_SYMBOLS), *[0] * 8, *AC_SYMBOLS])
    return segment(0xDB, b"\0" + b"\4" * 64) + segment(0xC4, b"\0" + dc) + segment(0xC4, b"\x10" + ac)


@dataclass(frozen=True, slots=True)
class Shape:
    """`factors` are the sampling factors of each component, horizontal and vertical."""

    width: int
    height: int
    factors: tuple[tuple[int, int], ...]
    frame: int = 0xC0
    bits: int = 8
    restarts: int = 0
    adobe: int | None = None
    interleaved: bool = True

    @property
    def mcus(self) -> tuple[int, int]:
        """The number of coding units across and down in an interleaved scan."""
        across, down = (8 * max(factor[i] for factor in self.factors) for i in (0, 1))
        return -(-self.width // across), -(-self.height // down)

    def blocks(self, number: int) -> tuple[int, int]:
        """The number of blocks across and down in a scan of one component."""
        most = [max(factor[i] for factor in self.factors) for i in (0, 1)]
        h, v = self.factors[number]
        return ceil(ceil(self.width * h / most[0]) / 8), ceil(ceil(self.height * v / most[1]) / 8)

    def header(self) -> bytes:
        parts = [b"\xff\xd8"]
        if self.adobe is not None:
            parts.append(segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([self.adobe])))
        parts += [tables(), self.frame_header()]
        if self.restarts:
            parts.append(segment(0xDD, struct.pack(">H", self.restarts)))
        return b"".join(parts)

    def frame_header(self) -> bytes:
        components = (bytes([n + 1, h << 4 | v, 0]) for n, (h, v) in enumerate(self.factors))
        size = struct.pack(">BHHB", self.bits, self.height, self.width, len(self.factors))
        return segment(self.frame, size + b"".join(components))


def block(number: int, x: float, y: float, seed: int) -> Block:
    """Of component `number` at a place in the picture from 0 to 1: smooth, with a little on top."""
    chance = random.Random(seed)
    dc = int((400 * x - 200, 300 * y - 150, 200 * (x - y), 200 * y - 100)[number])
    return dc, {place: chance.randint(1, 9) for place in sorted(chance.sample(range(1, 16), 3))}


def picture(shape: Shape) -> dict[tuple[int, int, int], Block]:
    """The blocks of each component, also those beyond the edge, by component, row and column."""
    across, down = shape.mcus
    found = {}
    for number, (h, v) in enumerate(shape.factors):
        for row in range(down * v):
            for column in range(across * h):
                x, y = column / (across * h), row / (down * v)
                found[number, row, column] = block(number, x, y, number << 20 | row << 10 | column)
    return found


class Codes:
    """The entropy-coded data of one scan."""

    def __init__(self) -> None:
        self._bits: list[str] = []
        self._done: list[bytes] = []
        self._before: dict[int, int] = {}

    def put(self, value: int, length: int) -> None:
        if length:
            self._bits.append(f"{value:0{length}b}")

    def number(self, value: int, size: int) -> None:
        self.put(value if value > 0 else value + (1 << size) - 1, size)

    def dc(self, number: int, value: int) -> None:
        difference = value - self._before.get(number, 0)
        self._before[number] = value
        size = abs(difference).bit_length()
        self.put(size, 4)
        self.number(difference, size)

    def ac(self, coefficients: dict[int, int]) -> None:
        at = 0
        for place, value in coefficients.items():
            size = abs(value).bit_length()
            self.put(AC_SYMBOLS.index((place - at - 1) << 4 | size), 8)
            self.number(value, size)
            at = place
        self.put(AC_SYMBOLS.index(0), 8)

    def restart(self, number: int) -> None:
        self._flush()
        self._done.append(bytes([0xFF, 0xD0 | number & 7]))
        self._before.clear()

    def done(self) -> bytes:
        self._flush()
        return b"".join(self._done)

    def _flush(self) -> None:
        bits = "".join(self._bits)
        bits += "1" * (-len(bits) % 8)
        self._done.append(int(bits or "0", 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\0"))
        self._bits.clear()


def scan(shape: Shape, components: Iterable[int], first: int, last: int) -> bytes:
    """One scan of these coefficients of these components."""
    numbers = list(components)
    blocks = picture(shape)
    codes = Codes()
    for count, mcu in enumerate(_mcus(shape, numbers)):
        if shape.restarts and count and count % shape.restarts == 0:
            codes.restart(count // shape.restarts - 1)
        for number, row, column in mcu:
            dc, ac = blocks[number, row, column]
            if first == 0:
                codes.dc(number, dc)
            if last:
                codes.ac(ac)
    named = b"".join(bytes([number + 1, 0]) for number in numbers)
    return segment(0xDA, bytes([len(numbers)]) + named + bytes([first, last, 0])) + codes.done()


def _mcus(shape: Shape, numbers: list[int]) -> Iterator[list[tuple[int, int, int]]]:
    """The places of the blocks of each MCU (T.81, A.2)."""
    if len(numbers) == 1:
        across, down = shape.blocks(numbers[0])
        for row in range(down):
            for column in range(across):
                yield [(numbers[0], row, column)]
        return
    across, down = shape.mcus
    for top in range(down):
        for left in range(across):
            yield [
                (number, top * v + row, left * h + column)
                for number in numbers
                for h, v in [shape.factors[number]]
                for row in range(v)
                for column in range(h)
            ]


def jpeg(shape: Shape) -> bytes:
    """The whole file: one interleaved scan, or one of each component; of a progressive one AC after DC."""
    numbers = range(len(shape.factors))
    if shape.frame == 0xC2:
        scans = [scan(shape, numbers, 0, 0), *(scan(shape, [number], 1, 63) for number in numbers)]
    elif shape.interleaved:
        scans = [scan(shape, numbers, 0, 63)]
    else:
        scans = [scan(shape, [number], 0, 63) for number in numbers]
    return shape.header() + b"".join(scans) + b"\xff\xd9"


def lossless(width: int, height: int, components: int, frame: int = 0xC3) -> bytes:
    """All differences 0 (T.81, annex H): a code of one bit for each sample."""
    shape = Shape(width, height, ((1, 1),) * components, frame)
    codes = segment(0xC4, b"\0" + bytes([1, *[0] * 15, 0]))
    named = b"".join(bytes([number + 1, 0]) for number in range(components))
    scan_header = segment(0xDA, bytes([components]) + named + b"\1\0\0")
    data = bytes(width * height * components // 8 + 1)
    return b"\xff\xd8" + codes + shape.frame_header() + scan_header + data + b"\xff\xd9"


def with_frame(data: bytes, frame: int) -> bytes:
    """The same file under the name of another process."""
    at = data.index(b"\xff\xc0") + 1
    return data[:at] + bytes([frame]) + data[at + 1 :]


def with_more_frames(shape: Shape, *frames: int) -> bytes:
    """A file with further frames before its own."""
    whole = jpeg(shape)
    at = whole.index(shape.frame_header())
    more = b"".join(replace(shape, frame=frame).frame_header() for frame in frames)
    return whole[:at] + more + whole[at:]
