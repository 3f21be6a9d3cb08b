"""The parts of the spec that the archive step reads: dedup, splits, output."""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

_frozen = ConfigDict(frozen=True, extra="forbid")


class Dedup(BaseModel):
    """Which images count as the same: equal bytes, and perceptual hashes at most `near_distance` bits apart."""

    model_config = _frozen

    exact: bool = True
    near_distance: Annotated[int, Field(ge=0, le=8)] | None = 4


class Splits(RootModel[dict[Literal["train", "val", "test"], Annotated[float, Field(ge=0, le=1)]]]):
    """The share of the images that each split gets; the shares add up to 1."""

    model_config = ConfigDict(frozen=True)

    root: dict[Literal["train", "val", "test"], Annotated[float, Field(ge=0, le=1)]] = {"train": 1.0}

    @property
    def shares(self) -> dict[str, float]:
        """Share by split."""
        return {str(name): share for name, share in self.root.items()}

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if not math.isclose(sum(self.root.values()), 1.0, abs_tol=1e-6):
            raise ValueError("the shares must add up to 1")
        return self


class Output(BaseModel):
    """What is delivered: the archive's format and the annotation files in it."""

    model_config = _frozen

    format: Literal["zip"] = "zip"
    annotations: tuple[Literal["jsonl", "csv", "txt", "yaml", "coco"], ...] = ("jsonl",)
