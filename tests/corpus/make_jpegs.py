"""Makes `jpegs/`: `kept` stays as it is, `mended` loses notes that readers refuse, the others are rejected.

`python -m tests.corpus.make_jpegs` writes them anew.
"""

from collections.abc import Mapping
from pathlib import Path

from tests.corpus.jpeg_writer import Shape, jpeg, lossless, segment, with_frame, with_more_frames

FOLDER = Path(__file__).parent / "jpegs"
_SHAPE = Shape(96, 80, ((1, 1),) * 3)
_SOUND = jpeg(_SHAPE)


def _sampled(*factors: tuple[int, int], frame: int = 0xC0, restarts: int = 0) -> bytes:
    return jpeg(Shape(96, 80, factors, frame, restarts=restarts, adobe=2 if len(factors) == 4 else None))


def _noted(*notes: bytes) -> bytes:
    return _SOUND[:2] + b"".join(notes) + _SOUND[2:]


def _icc(number: int, count: int) -> bytes:
    return segment(0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + b"what is no profile")


FILES: Mapping[str, bytes] = {
    "kept/sampling-22-11-12.jpg": _sampled((2, 2), (1, 1), (1, 2)),
    "kept/sampling-22-11-12-progressive.jpg": _sampled((2, 2), (1, 1), (1, 2), frame=0xC2),
    "kept/sampling-31.jpg": _sampled((3, 1), (1, 1), (1, 1)),
    "kept/sampling-42.jpg": _sampled((4, 2), (1, 1), (1, 1), restarts=2),
    "kept/sampling-of-larger-chroma.jpg": _sampled((1, 1), (2, 2), (2, 2)),
    "kept/sampling-of-ycck-2111.jpg": _sampled((2, 1), (1, 1), (1, 1), (1, 1)),
    "mended/profile-with-a-part-missing.jpg": _noted(_icc(1, 3), _icc(3, 3)),
    "mended/profile-of-number-0.jpg": _noted(_icc(0, 1)),
    "mended/profile-twice.jpg": _noted(_icc(1, 1), _icc(1, 1)),
    "mended/profile-that-is-empty.jpg": _noted(segment(0xE2, b"ICC_PROFILE\0\1\1")),
    "mended/exif-that-is-none.jpg": _noted(segment(0xE1, b"Exif\0\0what ever")),
    "mended/comment-without-a-length.jpg": _noted(b"\xff\xfe\0\0"),
    "unsupported/lossless.jpg": lossless(300, 300, 3),
    "unsupported/lossless-behind-fill-bytes.jpg": lossless(300, 300, 3).replace(
        b"\xff\xc3", b"\xff\xff\xff\xc3"
    ),
    "unsupported/arithmetic.jpg": with_frame(_SOUND, 0xC9),
    "unsupported/hierarchical.jpg": _noted(segment(0xDE, _SHAPE.frame_header()[4:])),
    "unsupported/of-12-bits.jpg": jpeg(Shape(96, 80, ((1, 1),) * 3, 0xC1, bits=12)),
    "unsupported/of-2-components.jpg": jpeg(Shape(96, 80, ((1, 1),) * 2)),
    "unsupported/sampling-32-21.jpg": _sampled((3, 1), (2, 1), (1, 1)),
    "corrupt/two-frames.jpg": with_more_frames(_SHAPE, 0xC0),
    "corrupt/bytes-left-over.jpg": _sampled((2, 2), (1, 1), (1, 2))[:-2] + b"\x55" * 9 + b"\xff\xd9",
}

if __name__ == "__main__":
    for _name, _data in FILES.items():
        (FOLDER / _name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / _name).write_bytes(_data)
