"""The parts of the spec that the crawl step reads: filters and transform."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, Strict

from shared.records.licenses import LicenseCode
from shared.web.wishes.respect import Respect

type Format = Literal["jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"]

_NAMES = {"jpeg": "JPEG", "png": "PNG", "webp": "WebP"}
_RESIZED = {"fit": "scaled down to fit into", "fill": "scaled and cut to", "pad": "scaled and padded to"}

_frozen = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Filters(BaseModel):
    """Which images are kept. Sizes are pixels as the image is seen, upright."""

    model_config = _frozen

    min_width: Annotated[int, Field(ge=1, le=100_000)] = 64
    min_height: Annotated[int, Field(ge=1, le=100_000)] = 64
    max_bytes: Annotated[int, Field(ge=1, le=100_000_000)] = 20_000_000
    max_pixels: Annotated[int, Field(ge=1, le=500_000_000)] = 50_000_000
    max_aspect_ratio: Annotated[float, Field(ge=1, le=1000)] = 4.0
    formats: Annotated[tuple[Format, ...], Strict(False), FailFast(), Field(min_length=1, max_length=20)] = (
        "jpeg",
        "png",
        "webp",
        "gif",
    )
    licenses: (
        Annotated[tuple[LicenseCode, ...], Strict(False), FailFast(), Field(min_length=1, max_length=20)]
        | None
    ) = None
    sharpness_min: Annotated[float, Field(ge=0)] | None = None


class Resize(BaseModel):
    """How an image is brought to `size`: fit (inside it), fill (cropped to the square) or pad (the square, padded)."""

    model_config = _frozen

    mode: Literal["fit", "fill", "pad"] = "fit"
    size: Annotated[int, Field(ge=16, le=8192)] = 512


class Transform(BaseModel):
    """How kept images are re-encoded. Without one, the original bytes are kept, or a mended copy."""

    model_config = _frozen

    resize: Resize | None = None
    format: Literal["jpeg", "png", "webp"] = "jpeg"
    quality: Annotated[int, Field(ge=1, le=100)] = 92

    @property
    def words(self) -> str:
        """What it does to an image, as licences ask to tell it."""
        encoded = f"re-encoded as {_NAMES[self.format]}, upright, in sRGB, on white, without metadata"
        if self.resize is None:
            return encoded
        side = self.resize.size
        return f"{_RESIZED[self.resize.mode]} {side} by {side} pixels, {encoded}"


@dataclass(frozen=True, slots=True)
class CrawlOptions:
    """The parts of a job's spec that decide how a candidate is fetched and judged."""

    filters: Filters
    transform: Transform | None
    respect: Respect
