"""Copies a PNG without the ancillary chunks that readers refuse: notes, profiles and animations.

Notes are chunks that do not change the pixels, such as texts and EXIF. Pillow refuses a whole file for one note that is
too short, and OpenCV for an animation without frames, even if the checksums are right. The limits are those of Pillow
(`PIL.PngImagePlugin`) and libpng.
"""

import struct
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from shared.crawling.judging.exif import EXIF_START, is_exif_readable
from shared.crawling.judging.png.animation import ANIMATION, is_animation_sound
from shared.crawling.judging.png.chunks import GREY, GREY_ALPHA, PALETTE, RGB, RGB_ALPHA, Chunk, Png

TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_LEAST_BYTES = {b"sRGB": 1, b"gAMA": 4, b"pHYs": 9, b"cHRM": 32}
_BACKGROUND_BYTES = {GREY: 2, GREY_ALPHA: 2, RGB: 6, RGB_ALPHA: 6, PALETTE: 1}
"""The length of a background colour (11.3.4.1). OpenCV refuses a file with any other length."""

_MAX_CHUNK_BYTES = 8_000_000
_MAX_INFLATED = 1 << 20
_MAX_TEXTS = 16 << 20
_ONCE = frozenset({b"iCCP", b"eXIf"})
"""Only the first chunk of these types is kept. Readers use one, and checking each may inflate a megabyte."""

_RAW_EXIF = b"Raw profile type exif"
_EXIF_KEYS = frozenset({_RAW_EXIF, b"exif"})
_TAKEN_KEYS = frozenset(
    {
        b"bbox",
        b"blend",
        b"default_image",
        b"disposal",
        b"duration",
        b"icc_profile",
        b"interlace",
        b"loop",
        b"transparency",
        b"xmp",
    }
)
"""Pillow stores its own information under these keys. A text with such a key would replace it."""

_NAMES = {b"tRNS": "transparency", b"iCCP": "profile", **dict.fromkeys(ANIMATION, "animation")}


@dataclass(frozen=True, slots=True)
class Mended:
    """`mended` names the parts that were removed. If it is empty, `data` is the file itself."""

    data: bytes
    mended: str = ""


def drop_refused(png: Png) -> Mended:
    """Removes the ancillary chunks that readers refuse. Readers that open both files show the same pixels."""
    animated = is_animation_sound(png)
    texts = _Texts()
    before: set[bytes] = set()
    kept: list[Chunk] = []
    for chunk in png.chunks:
        if chunk.critical or (
            chunk.sound
            and (animated or chunk.kind not in ANIMATION)
            and _is_readable(png, chunk, before, texts)
        ):
            kept.append(chunk)
        before.add(chunk.kind)
    return _copy(png, kept)


def drop_ancillary(png: Png) -> Mended:
    """Removes all ancillary chunks but the transparency, for a file that is still refused after `drop_refused`."""
    before: set[bytes] = set()
    kept: list[Chunk] = []
    for chunk in png.chunks:
        if chunk.critical or (
            chunk.sound and chunk.kind == b"tRNS" and _is_transparency_right(png, chunk, before)
        ):
            kept.append(chunk)
        before.add(chunk.kind)
    return _copy(png, kept)


def drop_animation(png: Png) -> Mended:
    """Removes the animation. The still picture remains, which readers without support for animations show."""
    return _copy(png, [chunk for chunk in png.chunks if chunk.kind not in ANIMATION])


def put_notes_first(png: Png) -> bytes:
    """Moves all texts and EXIF before the pixels. Otherwise Pillow decodes the pixels in order to read the notes."""
    first = png.pixels_at
    note_types = {*TEXTS, b"eXIf"}
    late = [chunk for chunk in png.chunks[first:] if chunk.kind in note_types]
    if not late:
        return png.data
    others = [chunk for chunk in png.chunks[first:] if chunk.kind not in note_types]
    return png.copy((*png.chunks[:first], *late, *others))


def _copy(png: Png, kept: Collection[Chunk]) -> Mended:
    if len(kept) == len(png.chunks):
        return Mended(png.data)
    return Mended(png.copy(kept), ", ".join(sorted(_names_of(set(png.chunks) - set(kept)))))


def _names_of(chunks: Iterable[Chunk]) -> set[str]:
    return {_NAMES.get(chunk.kind, "notes") for chunk in chunks}


def _is_readable(png: Png, chunk: Chunk, before: set[bytes], texts: "_Texts") -> bool:
    """Returns whether readers accept a sound ancillary chunk. `before` has the types of the chunks before it."""
    kind, size = chunk.kind, chunk.end - chunk.start
    if size > _MAX_CHUNK_BYTES or size < _LEAST_BYTES.get(kind, 0) or (kind in _ONCE and kind in before):
        return False
    if kind == b"bKGD":
        return size == _BACKGROUND_BYTES[png.color]
    if kind == b"tRNS":
        return _is_transparency_right(png, chunk, before)
    if kind == b"iCCP":
        return _is_profile_readable(png.content(chunk))
    if kind == b"eXIf":
        return is_exif_readable(EXIF_START + png.content(chunk))
    return kind not in TEXTS or texts.take(kind, png.content(chunk))


def _is_transparency_right(png: Png, chunk: Chunk, before: set[bytes]) -> bool:
    """Returns whether the chunk's length, position and values are valid (11.3.1.1).

    libpng ignores an invalid chunk, but Pillow uses it or refuses the file.
    """
    size = chunk.end - chunk.start
    if before & {b"tRNS", b"IDAT"}:
        return False
    if png.color == PALETTE:
        palette = next((found for found in png.chunks if found.kind == b"PLTE"), chunk)
        return b"PLTE" in before and 0 < size <= (palette.end - palette.start) // 3
    if size != {GREY: 2, RGB: 6}.get(png.color):
        return False
    colours: tuple[int, ...] = struct.unpack(f">{size // 2}H", png.content(chunk))
    return max(colours) < 1 << png.depth


def _is_profile_readable(content: bytes) -> bool:
    _, _, packed = content.partition(b"\0")
    return packed[:1] == b"\0" and _inflated(packed[1:]) is not None


def _inflated(packed: bytes) -> bytes | None:
    """Returns the inflated bytes, or None if they are too many. Readers take a broken stream for an empty text."""
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(packed, _MAX_INFLATED)
    except zlib.error:
        return b""
    return None if inflater.unconsumed_tail else content


class _Texts:
    """Limits the total size of a file's texts to a quarter of what Pillow accepts. Unreadable texts count, too."""

    def __init__(self) -> None:
        self._left = _MAX_TEXTS
        self._has_exif = False

    def take(self, kind: bytes, content: bytes) -> bool:
        """Returns whether readers accept the next text of the file."""
        if self._left <= 0:
            return False
        key, _, rest = content.partition(b"\0")
        text = _text(kind, rest)
        self._left -= max(len(content), _MAX_INFLATED if text is None else len(text))
        if text is None or self._left < 0 or key in _TAKEN_KEYS:
            return False
        return key not in _EXIF_KEYS or self._is_first_exif_readable(kind, key, text)

    def _is_first_exif_readable(self, kind: bytes, key: bytes, text: bytes) -> bool:
        if self._has_exif:
            return False
        self._has_exif = True
        return _is_raw_exif_readable(text) if key == _RAW_EXIF else kind == b"tEXt" and is_exif_readable(text)


def _text(kind: bytes, rest: bytes) -> bytes | None:
    """Returns the text after the key, or None if a reader refuses it."""
    if kind == b"zTXt":
        return None if rest[:1] > b"\0" else _inflated(rest[1:])
    if kind == b"iTXt" and rest[:1] > b"\0" and rest[1:2] == b"\0":
        return _inflated(rest[2:].split(b"\0", 2)[-1])
    return rest


def _is_raw_exif_readable(text: bytes) -> bool:
    """Checks EXIF as ImageMagick writes it: lines with a name, a length and hexadecimal digits."""
    try:
        return is_exif_readable(bytes.fromhex("".join(text.decode("latin-1").split("\n")[3:])))
    except ValueError:
        return False
