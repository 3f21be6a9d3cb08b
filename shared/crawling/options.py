"""Defines the parts of the spec that the crawl step reads: filters and transform."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, Strict, field_validator

from shared.records.licenses import LicenseCode
from shared.records.scores import ScoreName, ScoreRange, unfit_range
from shared.web.wishes.respect import Respect

type Format = Literal["jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"]

_NAMES = {"jpeg": "JPEG", "png": "PNG", "webp": "WebP"}
_RESIZED = {"fit": "scaled down to fit into", "fill": "scaled and cut to", "pad": "scaled and padded to"}

_frozen = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Filters(BaseModel):
    """The conditions for an image to be kept. Sizes are in pixels, of the upright image."""

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
    scores: dict[ScoreName, ScoreRange] = {}
    ai_generated: Literal["keep", "drop", "only"] = "keep"
    faces: Literal["keep", "drop", "blur"] = "keep"
    nsfw_max: Annotated[float, Field(ge=0, le=1)] | None = None

    @property
    def looks_for_faces(self) -> bool:
        """Whether a model looks for faces."""
        return self.faces != "keep"

    @property
    def rates_content(self) -> bool:
        """Whether a model measures if pictures are safe for work."""
        return self.nsfw_max is not None

    @field_validator("scores")
    @classmethod
    def _fits_scores(cls, scores: dict[ScoreName, ScoreRange]) -> dict[ScoreName, ScoreRange]:
        why = unfit_range(scores)
        if why is not None:
            raise ValueError(why)
        return scores


class Resize(BaseModel):
    """Scales an image by a square of `size` pixels, without a change of its aspect ratio.

    "fit" scales it down until the square contains it. "fill" scales it until it covers the square, and crops the rest.
    "pad" scales it until it touches the square's sides, and adds white.
    """

    model_config = _frozen

    mode: Literal["fit", "fill", "pad"] = "fit"
    size: Annotated[int, Field(ge=16, le=8192)] = 512


class Transform(BaseModel):
    """Encodes kept images anew. Without a transform, the original bytes or a mended copy are stored."""

    model_config = _frozen

    resize: Resize | None = None
    format: Literal["jpeg", "png", "webp"] = "jpeg"
    quality: Annotated[int, Field(ge=1, le=100)] = 92

    @property
    def words(self) -> str:
        """A description of the changes to an image. Licences require one."""
        encoded = f"re-encoded as {_NAMES[self.format]}, upright, in sRGB, on white, without metadata"
        if self.resize is None:
            return encoded
        side = self.resize.size
        return f"{_RESIZED[self.resize.mode]} {side} by {side} pixels, {encoded}"


@dataclass(frozen=True, slots=True)
class CrawlOptions:
    """The parts of a job's spec that decide how a candidate is fetched and judged.

    With `check`, a refresh asks hosts whether known images have changed. With `remove_gone`, it rejects images that
    their sources no longer list, or their hosts no longer have. With `relevance`, a model measures how well a picture
    shows its label, and with `embeddings`, the picture's embedding is recorded.
    """

    filters: Filters
    transform: Transform | None
    respect: Respect
    remove_gone: bool = False
    check: bool = False
    relevance: bool = False
    embeddings: bool = False

    @property
    def wants_picture(self) -> bool:
        """Whether a model needs the picture of an image after it is judged."""
        return self.relevance or self.embeddings
