"""The parts of the spec that the archive step reads: dedup, splits, output."""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, FailFast, Field, RootModel, Strict, model_validator

from shared.ids import PlainId

type FormatName = Literal["zip", "webdataset"]
type AnnotationFormat = Literal["jsonl", "csv", "txt", "yaml", "coco"]

_frozen = ConfigDict(frozen=True, extra="forbid", strict=True)


class Dedup(BaseModel):
    """Which images count as the same: equal bytes, and perceptual hashes at most `near_distance` bits apart.

    `against` names earlier datasets of the same user: what is in them already is left out.
    """

    model_config = _frozen

    exact: bool = True
    near_distance: Annotated[int, Field(ge=0, le=8)] | None = 4
    against: Annotated[tuple[PlainId, ...], Strict(False), FailFast(), Field(max_length=20)] = ()


class Splits(RootModel[dict[Literal["train", "val", "test"], Annotated[float, Field(ge=0, le=1)]]]):
    """The share of the images that each split gets; the shares add up to 1."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)

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
    """What is delivered: the archive's format, and the annotation files in it or beside it.

    "zip" is one ZIP file; "webdataset" is tar shards of up to `shard_size` bytes, or one image and padding more, each
    image with its `.json`, `.txt` and `.cls` beside it, in an order that is drawn by the seed. There are at most 1,000
    shards; they grow before that.
    """

    model_config = _frozen

    format: FormatName = "zip"
    annotations: Annotated[tuple[AnnotationFormat, ...], Strict(False), FailFast(), Field(max_length=20)] = (
        "jsonl",
    )
    shard_size: Annotated[int, Field(ge=100_000, le=4_000_000_000)] = 256_000_000
