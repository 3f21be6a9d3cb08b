"""Judges one image: everything that takes processor time. Run it in a thread.

An image whose pixels take much memory is judged in two steps: `judge` returns `AwaitingMemory`, and once the memory is
free, `judge_with_memory` decodes the pixels.
"""

import hashlib
import zlib
from dataclasses import dataclass, replace

from shared.crawling.judging.decoding.decode_frames import MoreMemory
from shared.crawling.judging.decoding.decoding_bytes import SMALL_BYTES
from shared.crawling.judging.embedded.check import check_embedded
from shared.crawling.judging.inspect import Inspected, Opened, decode, open_image
from shared.crawling.judging.picture.color import profile_name
from shared.crawling.judging.picture.transform import transform, wanted_side
from shared.crawling.options import CrawlOptions
from shared.records.consent import Answers
from shared.records.embedded import SILENT, Embedded
from shared.records.facts import ImageFacts
from shared.records.records import Rejected


@dataclass(frozen=True, slots=True)
class Judged:
    """The facts of an image that is kept, and the bytes to store: the file, a mended copy or a transformed copy."""

    data: bytes
    facts: ImageFacts


@dataclass(frozen=True, slots=True)
class AwaitingMemory:
    """An image that passed all checks that need no pixels. Decoding it takes about `needed_bytes` of memory.

    `embedded` is what the file says about itself.
    """

    opened: Opened
    needed_bytes: int
    embedded: Embedded = SILENT


def judge(
    data: bytes, options: CrawlOptions, answers: Answers | None = None, earlier: Embedded = SILENT
) -> Judged | AwaitingMemory | Rejected:
    """Judges an image. Returns `AwaitingMemory` if decoding it takes more than `SMALL_BYTES` of memory.

    `answers` gets the answers of the signals in the file. `earlier` is what the file said about itself when an earlier
    job fetched it.
    """
    opened = open_image(data, options.filters, wanted_side(options.transform))
    if isinstance(opened, Rejected):
        return opened
    said = check_embedded(data, opened.header, options, Answers() if answers is None else answers, earlier)
    if isinstance(said, Rejected):
        opened.close()
        return said
    waiting = AwaitingMemory(opened, opened.needed_bytes(options.transform), said)
    if waiting.needed_bytes > SMALL_BYTES:
        return waiting
    return judge_with_memory(waiting, options, SMALL_BYTES)


def judge_with_memory(
    waiting: AwaitingMemory, options: CrawlOptions, granted_bytes: int | None = None
) -> Judged | AwaitingMemory | Rejected:
    """Decodes and judges an image within `granted_bytes` of memory, by default the bytes that it needs.

    Returns `AwaitingMemory` again if a later frame or page needs more memory.
    """
    try:
        found = decode(waiting.opened, granted_bytes or waiting.needed_bytes)
    except MoreMemory as more:
        return replace(waiting, needed_bytes=more.needed_bytes)
    if isinstance(found, Rejected):
        return found
    if options.transform is None:
        return Judged(found.data, _facts(found, found.data, waiting.embedded))
    encoded = transform(found, options.transform)
    facts = replace(
        _facts(found, encoded.data, waiting.embedded),
        format=options.transform.format,
        width=encoded.width,
        height=encoded.height,
        mode="rgb",
        frames=1,
        orientation=1,
        color_profile="",
        mended="",
    )
    return Judged(encoded.data, facts)


def _facts(found: Inspected, data: bytes, embedded: Embedded) -> ImageFacts:
    """Returns the facts of the image as it was found, with the size and checksums of `data`, which is stored."""
    look = found.look
    return ImageFacts(
        format=found.format,
        width=found.width,
        height=found.height,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        crc32=zlib.crc32(data),
        perceptual_hash=look.perceptual_hash,
        mode=found.mode,
        frames=found.frames,
        orientation=found.orientation,
        sharpness=look.sharpness,
        brightness=look.brightness,
        contrast=look.contrast,
        entropy=look.entropy,
        dominant_color=look.dominant_color,
        aspect_ratio=found.aspect_ratio,
        bytes_per_pixel=found.bytes_per_pixel,
        color_profile=profile_name(found.profile) if found.profile is not None else "",
        mended=found.mended,
        embedded=embedded,
    )
