"""Makes `images/`: `kept` is as it is, `mended` without what readers refuse, `corrupt` and `truncated` not at all.

`python -m tests.corpus.make_images` writes them anew.
"""

import struct
from collections.abc import Mapping
from pathlib import Path

from tests.corpus import gif_parts as gifs
from tests.corpus.png_parts import (
    END,
    PALETTE,
    SIDE,
    Chunk,
    chunk,
    deflated,
    header,
    passes,
    png,
    rows,
    simple,
    stored,
)

FOLDER = Path(__file__).parent / "images"
_ROWS = rows()
_STREAM = stored(_ROWS)
_ROW = len(_ROWS) // SIDE
_NOTE: Chunk = (b"tEXt", b"Comment\0a note")
_EXIF_6 = b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"
_SOUND = simple()


def _noted(kind: bytes, body: bytes, color: int = 2) -> bytes:
    return simple(before=[(kind, body)], color=color)


def _headed(*values: int) -> bytes:
    return png([(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, *values)), (b"IDAT", _STREAM), END])


def _with_palette(*chunks: Chunk, after: tuple[Chunk, ...] = (), color: int = 3) -> bytes:
    return simple(before=chunks, after=after, color=color)


def _control(number: int, width: int = SIDE, height: int = SIDE, left: int = 0, top: int = 0) -> Chunk:
    return b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, left, top, 1, 10, 0, 0)


def _animated(frame: bytes, *, declared: int = 2, control: Chunk | None = None, number: int = 2) -> bytes:
    """Two frames: the picture, and one of these pixels."""
    return simple(
        before=[(b"acTL", struct.pack(">II", declared, 0)), _control(0)],
        after=[control or _control(1), (b"fdAT", struct.pack(">I", number) + frame)],
    )


def _spliced(bad: bytes) -> bytes:
    return _SOUND[:33] + bad + _SOUND[33:]


KEPT = {
    "interlaced": png([header(interlaced=True), (b"IDAT", stored(passes())), END]),
    "interlaced_grey_of_one_bit": png([header(0, 1, interlaced=True), (b"IDAT", stored(passes(0, 1))), END]),
    "all_filters": simple(pixels=[stored(rows(filters=(0, 1, 2, 3, 4)))]),
    "an_idat_for_each_byte_of_the_beginning": simple(
        pixels=[*(_STREAM[at : at + 1] for at in range(40)), _STREAM[40:]]
    ),
    "checksum_over_two_idats": simple(pixels=[_STREAM[:-2], _STREAM[-2:]]),
    "empty_idats": simple(pixels=[b"", _STREAM[:50], b"", _STREAM[50:], b""]),
    "more_behind_the_stream": simple(pixels=[_STREAM + b"more"]),
    "more_rows_than_it_has": simple(pixels=[stored(_ROWS + _ROWS[:_ROW])]),
    "an_idat_behind_other_chunks_and_the_last_pixel": png(
        [header(), (b"IDAT", _STREAM), _NOTE, (b"IDAT", b"more"), END]
    ),
    "palette_of_a_grey_picture": _with_palette(PALETTE, color=0),
    "palette_twice_where_it_is_a_hint": _with_palette(PALETTE, PALETTE, color=2),
    "palette_behind_the_pixels_where_it_is_a_hint": _with_palette(after=(PALETTE,), color=2),
    "palette_shorter_than_an_index": _with_palette((b"PLTE", bytes(range(48)))),
    "unknown_note": _noted(b"abCd", b"x"),
    "long_notes": simple(before=[(b"sRGB", b"\0\0"), (b"gAMA", b"\0\0\xb1\x8f\0")]),
    "exif_behind_the_pixels": simple(after=[(b"eXIf", _EXIF_6)]),
    "animation": _animated(_STREAM),
    "content_of_the_end": _SOUND[:-12] + chunk(b"IEND", b"x"),
    **{
        f"color_{color}_of_{depth}_bits": simple(
            color=color, depth=depth, pixels=[stored(rows(color, depth))], before=before
        )
        for color, depth, before in (
            (0, 1, ()),
            (0, 2, ()),
            (0, 4, ()),
            (0, 8, ()),
            (0, 16, ()),
            (2, 16, ()),
            (3, 1, ((b"PLTE", bytes(range(6))),)),
            (3, 2, ((b"PLTE", bytes(range(12))),)),
            (3, 4, ((b"PLTE", bytes(range(48))),)),
            (3, 8, (PALETTE,)),
            (4, 8, ()),
            (6, 8, ()),
        )
    },
}
MENDED = {
    "short_srgb": _noted(b"sRGB", b""),
    "short_gama": _noted(b"gAMA", b"\0\0"),
    "short_phys": _noted(b"pHYs", b"\0\0"),
    "short_chrm": _noted(b"cHRM", bytes(31)),
    "short_note_behind_the_pixels": simple(after=[(b"gAMA", b"\0\0")]),
    "short_trns": _noted(b"tRNS", b"\0\0"),
    "long_trns": _noted(b"tRNS", bytes(8)),
    "short_trns_of_grey": _noted(b"tRNS", b"\0", 0),
    "long_trns_of_grey": _noted(b"tRNS", bytes(6), 0),
    "trns_of_a_picture_with_alpha": _noted(b"tRNS", bytes(6), 6),
    "trns_longer_than_the_palette": _with_palette((b"PLTE", bytes(range(48))), (b"tRNS", bytes(17))),
    "trns_before_the_palette": _with_palette((b"tRNS", bytes(9)), PALETTE),
    "trns_behind_the_pixels": _with_palette(PALETTE, after=((b"tRNS", bytes(9)),)),
    "trns_beyond_the_depth": _noted(b"tRNS", b"\1\xff", 0),
    "trns_twice": _with_palette(PALETTE, (b"tRNS", bytes(9)), (b"tRNS", bytes(200))),
    "animation_without_frames": _noted(b"acTL", bytes(8)),
    "animation_of_frames_that_are_not_there": _noted(b"acTL", struct.pack(">II", 3, 0)),
    "animation_of_fewer_frames": _animated(_STREAM, declared=3),
    "animation_out_of_order": _animated(_STREAM, number=5),
    "animation_with_a_frame_that_sticks_out": _animated(_STREAM, control=_control(1, left=1)),
    "animation_with_a_frame_of_damaged_pixels": _animated(stored(_ROWS, adler=1)),
    "animation_with_a_frame_of_too_few_rows": _animated(stored(_ROWS[:-_ROW])),
    "short_actl": _noted(b"acTL", b"\0\0"),
    "short_fctl": _noted(b"fcTL", b"\0\0"),
    "frame_without_an_animation": _noted(b"fdAT", bytes(4)),
    "profile_packed_in_no_known_way": _noted(b"iCCP", b"a\0\1xx"),
    "empty_profile": _noted(b"iCCP", b""),
    "text_packed_in_no_known_way": _noted(b"zTXt", b"a\0\1xx"),
    "text_under_a_reader's_own_name": _noted(b"tEXt", b"transparency\0of glass"),
    "exif_that_is_none": _noted(b"eXIf", b"garbage!"),
    "exif_in_a_text_that_is_none": _noted(b"tEXt", b"Raw profile type exif\0\nexif\n 4\nzzzz"),
    "note_with_a_wrong_checksum": _spliced(chunk(*_NOTE, bad=True)),
    "note_whose_name_has_a_digit": _noted(b"a1Cd", b"x"),
    "note_whose_name_has_the_reserved_bit": _noted(b"abcd", b"x"),
}
CORRUPT = {
    "wrong_adler": simple(pixels=[stored(_ROWS, adler=1)]),
    "raw_deflate": simple(pixels=[deflated(_ROWS)]),
    "cgbi": png([(b"CgBI", b"\x50\0\x20\2"), header(), (b"IDAT", deflated(_ROWS)), END]),
    "changed_byte": simple(pixels=[_STREAM[:900] + b"\xaa" + _STREAM[901:]]),
    "changed_byte_of_a_block": simple(pixels=[_STREAM[:2] + b"\7" + _STREAM[3:]]),
    "filter_5_in_the_first_row": simple(pixels=[stored(b"\5" + _ROWS[1:])]),
    "filter_5_in_the_last_row": simple(pixels=[stored(_ROWS[:-_ROW] + b"\5" + _ROWS[1 - _ROW :])]),
    "filter_255": simple(pixels=[stored(rows(filters=(0, 255)))]),
    "filter_5_in_the_last_pass": png(
        [header(interlaced=True), (b"IDAT", stored(passes()[:-_ROW] + b"\5" + passes()[1 - _ROW :])), END]
    ),
    "rows_are_missing": simple(pixels=[stored(_ROWS[: -5 * _ROW])]),
    "a_byte_is_missing": simple(pixels=[stored(_ROWS[:-1])]),
    "the_last_pass_is_missing": png(
        [header(interlaced=True), (b"IDAT", stored(passes()[: -16 * _ROW])), END]
    ),
    "no_pixels": png([header(), END]),
    "other_chunks_between_the_pixels": png(
        [header(), (b"IDAT", _STREAM[:99]), _NOTE, (b"IDAT", _STREAM[99:]), END]
    ),
    "no_palette": simple(color=3),
    "two_palettes": _with_palette(PALETTE, PALETTE),
    "palette_of_47_bytes": _with_palette((b"PLTE", bytes(47))),
    "empty_palette": _with_palette((b"PLTE", b"")),
    "empty_palette_that_is_a_hint": _with_palette((b"PLTE", b""), color=2),
    "palette_of_257_colours": _with_palette((b"PLTE", bytes(771))),
    "palette_behind_the_pixels": _with_palette(after=(PALETTE,)),
    "two_headers": png([header(), header(), (b"IDAT", _STREAM), END]),
    "a_header_behind_the_pixels": png([header(), (b"IDAT", _STREAM), header(), END]),
    "a_note_before_the_header": png([_NOTE, header(), (b"IDAT", _STREAM), END]),
    "header_of_14_bytes": png([(b"IHDR", header()[1] + b"\0"), (b"IDAT", _STREAM), END]),
    "unknown_compression": _headed(8, 2, 1, 0, 0),
    "unknown_filtering": _headed(8, 2, 0, 64, 0),
    "unknown_interlacing": _headed(8, 2, 0, 0, 2),
    "unknown_depth": _headed(3, 0, 0, 0, 0),
    "unknown_colour": _headed(8, 1, 0, 0, 0),
    "unknown_critical_chunk": _noted(b"ABCD", b"x"),
    "unknown_critical_chunk_behind_the_pixels": simple(after=[(b"ABCD", b"x")]),
    "wrong_checksum": simple()[:-20] + b"\0" + simple()[-19:],
}
TRUNCATED = {
    "no_adler": simple(pixels=[_STREAM[:-4]]),
    "half_an_adler": simple(pixels=[_STREAM[:-2]]),
    "half_the_stream": simple(pixels=[_STREAM[:1500]]),
    "an_empty_idat_alone": simple(pixels=[b""]),
    "no_end": _SOUND[:-12],
}
_FRAME = gifs.control() + gifs.frame()
_SECOND = gifs.control() + gifs.frame(shift=90)
KEPT_GIFS = {
    "two_frames": gifs.gif(_FRAME, _SECOND),
    "no_control_before_its_frame": gifs.gif(gifs.frame()),
    "notes": gifs.gif(gifs.NOTE, _FRAME, gifs.NOTE),
}
MENDED_GIFS = {
    **{
        f"{width}x{height}_{place}": gifs.gif(*frames)
        for width, height in ((0, 0), (0, 5), (5, 0))
        for empty in [gifs.control() + gifs.frame(width, height)]
        for place, frames in (("first", (empty, _FRAME)), ("last", (_FRAME, empty)))
    },
    "0x0_between_two_frames": gifs.gif(_FRAME, gifs.frame(0, 0), _SECOND),
    "0x0_twice": gifs.gif(gifs.frame(0, 0), gifs.frame(0, 0), _FRAME),
    "0x0_without_data": gifs.gif(gifs.frame(0, 0, data=b"\x08\0"), _FRAME),
    "first_frame_without_data": gifs.gif(gifs.frame(data=b"\x08\0"), _FRAME),
    "last_frame_without_data": gifs.gif(_FRAME, gifs.frame(data=b"\x08\0")),
    "short_control": gifs.gif(gifs.control(b"\0\0"), gifs.frame()),
    "empty_control": gifs.gif(gifs.control(b""), gifs.frame()),
    "empty_note": gifs.gif(b"!\xff\0", _FRAME),
}
CORRUPT_GIFS = {"0x0_alone": gifs.gif(gifs.frame(0, 0))}
TRUNCATED_GIFS = {
    "0x0_and_half_a_frame": gifs.gif(gifs.frame(0, 0), _FRAME[:500] + b"\0"),
    "0x0_and_no_trailer": gifs.gif(gifs.frame(0, 0), _FRAME)[:-1],
}
FILES: Mapping[str, bytes] = {
    f"{folder}/{name}.{form}": data
    for folder, form, files in (
        ("kept", "png", KEPT),
        ("mended", "png", MENDED),
        ("corrupt", "png", CORRUPT),
        ("truncated", "png", TRUNCATED),
        ("kept", "gif", KEPT_GIFS),
        ("mended", "gif", MENDED_GIFS),
        ("corrupt", "gif", CORRUPT_GIFS),
        ("truncated", "gif", TRUNCATED_GIFS),
    )
    for name, data in files.items()
}


def main() -> None:
    """Write all files."""
    for name, data in FILES.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    main()
