"""Judges one image: everything that takes processor time. Run it in a thread.

An image whose pixels take much memory is judged in two steps: `judge` returns `AwaitingMemory`, and once the memory is
free, `judge_with_memory` decodes the pixels.
"""

import hashlib
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared.crawling.judging.decoding.decode_frames import MoreMemory
from shared.crawling.judging.decoding.decoding_bytes import SMALL_BYTES
from shared.crawling.judging.embedded.check import check_embedded
from shared.crawling.judging.inspect import Inspected, Opened, decode, open_image
from shared.crawling.judging.picture.color import profile_name
from shared.crawling.judging.picture.for_models import SIDE, picture_for_models
from shared.crawling.judging.picture.transform import transform, wanted_side
from shared.crawling.options import CrawlOptions, Transform
from shared.records.consent import Answers
from shared.records.embedded import SILENT, Embedded
from shared.records.facts import ImageFacts
from shared.records.records import Rejected
from shared.scoring.picture_models import NO_MODELS, PictureModels
from shared.scoring.scorer import Picture

if TYPE_CHECKING:
    from shared.crawling.judging.model_checks.frame_checks import Checked, FrameChecks


@dataclass(frozen=True, slots=True)
class Judged:
    """The facts of an image that is kept, and the bytes to store: the file, a mended copy or a transformed copy.

    `blurred` says that faces were blurred, or that the later frames of an animation were dropped because they may show
    faces. `found_hash` is the perceptual hash of the picture as it came. `picture` is what models see that run
    after the judging; it is None if the job has none of them.
    """

    data: bytes
    facts: ImageFacts
    blurred: bool = False
    found_hash: str = ""
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class AwaitingMemory:
    """An image that passed all checks that need no pixels. Decoding it takes about `needed_bytes` of memory.

    `embedded` is what the file says about itself. `models` look at the pixels, for which they take `model_bytes` of the
    memory.
    """

    opened: Opened
    needed_bytes: int
    embedded: Embedded = SILENT
    models: PictureModels = NO_MODELS
    model_bytes: int = 0


def judge(
    data: bytes,
    options: CrawlOptions,
    answers: Answers | None = None,
    earlier: Embedded = SILENT,
    models: PictureModels = NO_MODELS,
) -> Judged | AwaitingMemory | Rejected:
    """Judges an image. Returns `AwaitingMemory` if decoding it takes more than `SMALL_BYTES` of memory.

    `answers` gets the answers of the signals in the file. `earlier` is what the file said about itself when an earlier
    job fetched it. `models` are those that the options ask for.

    Raises:
        Permanent: a model does not work.
    """
    opened = open_image(data, options.filters, _side(options))
    if isinstance(opened, Rejected):
        return opened
    said = check_embedded(data, opened.header, options, Answers() if answers is None else answers, earlier)
    if isinstance(said, Rejected):
        opened.close()
        return said
    if models.wanted:
        waiting = _with_models(opened, options, said, models)
    else:
        waiting = AwaitingMemory(opened, opened.needed_bytes(options.transform), said)
    if waiting.needed_bytes > SMALL_BYTES:
        return waiting
    return judge_with_memory(waiting, options, SMALL_BYTES)


def judge_with_memory(
    waiting: AwaitingMemory, options: CrawlOptions, granted_bytes: int | None = None
) -> Judged | AwaitingMemory | Rejected:
    """Decodes and judges an image within `granted_bytes` of memory, by default the bytes that it needs.

    Returns `AwaitingMemory` again if a later frame or page needs more memory.

    Raises:
        Permanent: a model does not work.
    """
    checks = _frame_checks(waiting, options) if waiting.models.wanted else None
    granted = (granted_bytes or waiting.needed_bytes) - waiting.model_bytes
    # a transform drops later frames
    see_later_frame = checks.see_later_frame if checks is not None and options.transform is None else None
    try:
        found = decode(waiting.opened, granted, see_later_frame)
    except MoreMemory as more:
        return replace(waiting, needed_bytes=more.needed_bytes + waiting.model_bytes)
    if isinstance(found, Rejected):
        return found
    if checks is None:
        return _with_picture(_judged(found, waiting.embedded, options.transform), found, options)
    checked = checks.check(found)
    if isinstance(checked, Rejected):
        return checked
    return _with_picture(_with_findings(checked, waiting.embedded, options), checked.found, options)


def _side(options: CrawlOptions) -> int | None:
    """Returns how many pixels the shorter side needs, or None if it needs all pixels."""
    side = wanted_side(options.transform)
    return side if side is None or not options.wants_picture else max(side, SIDE)


def _with_picture(judged: Judged, found: Inspected, options: CrawlOptions) -> Judged:
    """Adds the picture for models that run after the judging, if the job has any."""
    return replace(judged, picture=picture_for_models(found)) if options.wants_picture else judged


def _with_models(
    opened: Opened, options: CrawlOptions, said: Embedded, models: PictureModels
) -> AwaitingMemory:
    """Asks for the pixels and the memory that the models need, too."""
    from shared.crawling.judging.model_checks.needs import bytes_needed, encoding_of, pixels_needed

    opened = replace(opened, side=pixels_needed(opened, options, models))
    blurs = models.faces is not None and options.filters.faces == "blur"
    encoding = encoding_of(opened.header.format, options) if blurs else options.transform
    model_bytes = bytes_needed(opened, models)
    return AwaitingMemory(opened, opened.needed_bytes(encoding) + model_bytes, said, models, model_bytes)


def _frame_checks(waiting: AwaitingMemory, options: CrawlOptions) -> "FrameChecks":
    from shared.crawling.judging.model_checks.frame_checks import FrameChecks

    return FrameChecks(waiting.models, options, waiting.opened.header)


def _with_findings(checked: "Checked", embedded: Embedded, options: CrawlOptions) -> Judged:
    """Returns the image with what the models found. A picture whose faces are blurred is encoded in any case."""
    from shared.crawling.judging.model_checks.needs import encoding_of

    found = checked.found
    judged = _judged(
        found, embedded, encoding_of(found.format, options) if checked.blurred else options.transform
    )
    facts = replace(judged.facts, faces=checked.faces, nsfw=checked.nsfw)
    return Judged(judged.data, facts, checked.blurred, checked.unblurred_hash)


def _judged(found: Inspected, embedded: Embedded, wanted: Transform | None) -> Judged:
    """Returns the image as it was found, or encoded as is wanted."""
    if wanted is None:
        return Judged(found.data, _facts(found, found.data, embedded))
    encoded = transform(found, wanted)
    facts = replace(
        _facts(found, encoded.data, embedded),
        format=wanted.format,
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
