"""Judges JPEGs whose headers are damaged or forged, in child processes, and reports those that crash a child.

`make fuzz` takes 50,000 of them (FILES=… for more or fewer). A file is told by its number.
"""

import argparse
import os
import random
import subprocess
import sys
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

from shared.crawling.judging.inspect import inspect
from shared.crawling.judging.picture.transform import transform, wanted_side
from shared.crawling.options import Filters, Resize, Transform
from shared.records.records import Rejected
from tests.corpus.jpeg_writer import Shape, jpeg, lossless, segment
from tests.unit.crawling.judging.pictures import encoded, picture, saved, turned

ANY = Filters(min_width=1, min_height=1, max_aspect_ratio=1000, max_pixels=4_000_000)
TRANSFORMS = (None, None, Transform(), Transform(resize=Resize(mode="fill", size=64), format="png"))
FRAMES = (0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCF, 0xF7)
MARKERS = (
    *FRAMES,
    0xC4,
    0xCC,
    0xD0,
    0xD8,
    0xD9,
    0xDA,
    0xDB,
    0xDC,
    0xDD,
    0xDE,
    0xDF,
    0xE0,
    0xE1,
    0xE2,
    0xEE,
    0xFE,
    1,
    0xFF,
)
MESS = (
    b"\xff",
    b"\xff\xff\xff",
    b"\0\1\xff\0",
    b"\xff\xd3",
    b"\xff\1",
    b"\xff\xfe\0\0",
    b"\xff\xe2\0\1",
    b"\0" * 9,
)
LIKELY = (0, 1, 2, 0x11, 0x22, 0x44, 0xFF, *FRAMES[:4])
BATCH = 2500


@dataclass(frozen=True, slots=True)
class Death:
    """A crash of a child: the number of the file that it judged, and what ended it."""

    file: int
    how: str


@cache
def seeds() -> tuple[bytes, ...]:
    size = (400, 300)
    factors = (
        ((1, 1),),
        ((2, 2), (1, 1), (1, 1)),
        ((2, 2), (1, 1), (1, 2)),
        ((1, 1), (2, 2), (2, 2)),
        ((2, 1),) + ((1, 1),) * 3,
    )
    shapes = [
        Shape(280, 264, each, frame, restarts=r) for each in factors for frame in FRAMES[:3] for r in (0, 4)
    ]
    thumbnail = segment(0xE1, b"Exif\0\0" + saved(picture((64, 48)), "JPEG"))
    whole = encoded("JPEG", size)
    return (
        *(jpeg(shape) for shape in shapes),
        *(lossless(300, 300, components) for components in (1, 3, 4)),
        whole,
        whole[:2] + thumbnail + whole[2:],
        encoded("JPEG", size, progressive=True),
        encoded("JPEG", size, mode="CMYK"),
        turned(6, size=size),
    )  # fmt: skip


def segments_of(data: bytes) -> tuple[list[bytes], bytes]:
    """Returns the bytes before the first scan, and the rest."""
    at, found = 2, []
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        found.append(data[at:end])
        at = end
    return found, data[at:]


def forged(number: int) -> bytes:
    """Makes the file with this number."""
    chance = random.Random(number)
    pieces, rest = segments_of(chance.choice(seeds()))
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        if pieces:
            _forge(pieces, chance)
    head = bytearray(b"\xff\xd8" + b"".join(pieces) + rest[:14])
    for _ in range(chance.choice((0, 0, 1, 1, 2, 8))):
        head[chance.randrange(2, len(head))] = chance.choice((*LIKELY, chance.randrange(256)))
    return bytes(head) + rest[14:]


def _forge(pieces: list[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(pieces))
    piece = pieces[at]
    frames = [each for each in pieces if len(each) > 8 and each[1] in FRAMES] or [piece]
    length = chance.choice((0, 1, 2, 3, max(0, len(piece) - 3), len(piece), 0xFFFF))
    foreign = segments_of(chance.choice(seeds()))[0]
    pieces[at : at + 1] = chance.choice(
        (
            [piece[:1] + bytes([chance.choice(MARKERS)]) + piece[2:]],
            [frames[0][:1] + bytes([chance.choice(FRAMES)]) + frames[0][2:], piece],
            [piece, frames[0][:1] + bytes([chance.choice(FRAMES)]) + frames[0][2:]],
            [chance.choice(MESS), piece],
            [chance.choice(foreign), piece],
            [],
            [piece[:2] + length.to_bytes(2) + piece[4:]],
            [piece[: chance.randrange(len(piece) + 1)]],
            [piece, piece],
            [segment(chance.choice((0xE0, 0xE1, 0xE2, 0xFE)), frames[0]), piece],
        )
    )


def judge(number: int) -> str:
    """Judges the file, and returns the outcome as a word."""
    wanted = TRANSFORMS[number % len(TRANSFORMS)]
    side = (1, 60, None)[number % 3] if wanted is None else wanted_side(wanted)
    found = inspect(forged(number), ANY, side)
    if isinstance(found, Rejected):
        return found.reason
    if wanted is not None:
        transform(found, wanted)
    return "kept"


def _batch(first: int, files: int) -> tuple[Counter[str], list[Death]]:
    """Judges files in a child process. After a crash, another child continues with the next file."""
    outcomes: Counter[str] = Counter()
    deaths: list[Death] = []
    end = first + files
    while first < end:
        command = [sys.executable, "-m", __spec__.name, "--child", str(first), str(end - first)]
        child = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
        lines = child.stdout.split()
        outcomes.update(lines)
        first += len(lines)
        if child.returncode:
            deaths.append(Death(first, f"exit code {child.returncode}: {child.stderr[-300:]}"))
            first += 1
    return outcomes, deaths


def fuzz(first: int, files: int) -> tuple[Counter[str], list[Death]]:
    """Judges the files from `first` on, on all cores. Returns their outcomes and the crashes."""
    starts = range(first, first + files, BATCH)
    outcomes: Counter[str] = Counter()
    deaths: list[Death] = []
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for found, died in threads.map(
            lambda start: _batch(start, min(BATCH, first + files - start)), starts
        ):
            outcomes += found
            deaths += died
    return outcomes, deaths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--child", type=int, nargs=2)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.child:
        for number in range(given.child[0], sum(given.child)):
            sys.stdout.write(f"{judge(number)}\n")
            sys.stdout.flush()
        return
    outcomes, deaths = fuzz(given.first, given.files)
    told = [f"{outcomes.total()} files judged: {dict(outcomes)}; {len(deaths)} children died"]
    told += [f"file {death.file}: {death.how}" for death in deaths]
    sys.stdout.write("\n".join((*told, "")))
    sys.exit(bool(deaths))


if __name__ == "__main__":
    main()
