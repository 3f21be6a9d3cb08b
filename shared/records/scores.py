"""Defines the scores of images: the numbers by which a spec filters them, and which datasets deliver as columns."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

type ScoreName = Literal[
    "sharpness", "brightness", "contrast", "entropy", "aspect_ratio", "bytes_per_pixel", "relevance"
]

SCORES: Final[tuple[ScoreName, ...]] = get_args(ScoreName.__value__)
"""The names of all scores. They are fields of `ImageFacts`, which describes them. Only `relevance` may be missing."""

RELEVANCE: Final = "relevance"
"""The one score that a model measures, and only if a job wants it. It may be negative."""

SCORES_OF_ALL: Final[tuple[ScoreName, ...]] = tuple(name for name in SCORES if name != RELEVANCE)
"""The scores that every image has."""


class ScoreRange(BaseModel):
    """The range of one score in which images are kept. It includes its ends; None means no limit.

    `min` and `max` are values of the score. `min_percentile` and `max_percentile` are shares in percent of the images
    of a label: 5 drops the 5 % of each label that have the lowest scores.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    min: Annotated[float, Field(ge=-1)] | None = None
    max: Annotated[float, Field(ge=-1)] | None = None
    min_percentile: Annotated[float, Field(ge=0, lt=100)] | None = None
    max_percentile: Annotated[float, Field(gt=0, le=100)] | None = None

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min must not be more than max")
        if (self.min_percentile or 0) >= (100 if self.max_percentile is None else self.max_percentile):
            raise ValueError("min_percentile must be less than max_percentile")
        return self

    @property
    def has_percentile(self) -> bool:
        """Whether the range depends on the other images of a label."""
        return self.min_percentile is not None or self.max_percentile is not None


type ScoreRanges = Mapping[ScoreName, ScoreRange]


def unfit_range(ranges: ScoreRanges) -> str | None:
    """Returns a line about the first range that ends where its score has no values; None if all ranges fit."""
    for name, limits in ranges.items():
        for end in ("min", "max"):
            value = getattr(limits, end)
            if value is None:
                continue
            if name != RELEVANCE and value < 0:
                return f"{name}.{end} must be at least 0"
            if name == RELEVANCE and value > 1:
                return f"{name}.{end} must be at most 1"
    return None


def value_outside(ranges: ScoreRanges, scores: Mapping[ScoreName, float]) -> str | None:
    """Returns a line about the first score that is below `min` or above `max` of its range; None if none is.

    A score that is not among `scores` is not checked.
    """
    for name, limits in ranges.items():
        value = scores.get(name)
        if value is None:
            continue
        if limits.min is not None and value < limits.min:
            return f"{name} {value:g} is below {limits.min:g}"
        if limits.max is not None and value > limits.max:
            return f"{name} {value:g} is above {limits.max:g}"
    return None


def aspect_ratio_of(width: int, height: int) -> float:
    """Returns the longer side divided by the shorter one."""
    return round(max(width, height) / min(width, height), 4)


def bytes_per_pixel_of(size_bytes: int, width: int, height: int) -> float:
    """Returns the bytes of a file for each of its pixels. Strongly compressed pictures have few."""
    return round(size_bytes / (width * height), 5)
