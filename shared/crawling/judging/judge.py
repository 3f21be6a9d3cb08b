"""All work on one image that takes processor time, in two halves: first without its pixels, then with them."""

import hashlib
import zlib
from dataclasses import dataclass

from shared.crawling.judging.decoding.decoding_bytes import SMALL_BYTES
from shared.crawling.judging.inspect import MoreBytes, Opened, decode, open_image
from shared.crawling.judging.picture.color import profile_name
from shared.crawling.judging.picture.transform import transform, wanted_side
from shared.crawling.options import CrawlOptions
from shared.records.records import ImageFacts, Rejected


@dataclass(frozen=True, slots=True)
class Judged:
    """An image that is kept, and its bytes as they are stored."""

    data: bytes
    facts: ImageFacts


@dataclass(frozen=True, slots=True)
class Waiting:
    """An image that takes about so many bytes to decode, and waits for them."""

    opened: Opened
    needed_bytes: int


def judge(data: bytes, options: CrawlOptions) -> Judged | Waiting | Rejected:
    """Judge an image if its pixels take little memory; otherwise it has to wait for memory."""
    opened = open_image(data, options.filters, wanted_side(options.transform))
    if isinstance(opened, Rejected):
        return opened
    waiting = Waiting(opened, opened.needed_bytes(options.transform))
    if waiting.needed_bytes > SMALL_BYTES:
        return waiting
    return judge_waiting(waiting, options, SMALL_BYTES)


def judge_waiting(
    waiting: Waiting, options: CrawlOptions, granted_bytes: int | None = None
) -> Judged | Waiting | Rejected:
    """Judge an image that has its memory: `granted_bytes`, or all that it needs. It may turn out to need more."""
    try:
        found = decode(waiting.opened, granted_bytes or waiting.needed_bytes)
    except MoreBytes as more:
        return Waiting(waiting.opened, more.needed_bytes)
    if isinstance(found, Rejected):
        return found
    form, width, height = found.format, found.width, found.height
    mode, frames, orientation = found.mode, found.frames, found.orientation
    profile = profile_name(found.profile) if found.profile is not None else ""
    data, mended = found.data, found.mended
    if options.transform is not None:
        data, width, height = transform(found, options.transform)
        form, mode, frames, orientation, profile = options.transform.format, "rgb", 1, 1, ""
        mended = ""
    look = found.look
    facts = ImageFacts(
        format=form,
        width=width,
        height=height,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        crc32=zlib.crc32(data),
        perceptual_hash=look.perceptual_hash,
        mode=mode,
        frames=frames,
        orientation=orientation,
        sharpness=look.sharpness,
        brightness=look.brightness,
        contrast=look.contrast,
        entropy=look.entropy,
        dominant_color=look.dominant_color,
        color_profile=profile,
        mended=mended,
    )
    return Judged(data, facts)
