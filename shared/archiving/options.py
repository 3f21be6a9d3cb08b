"""The parts of the spec that the archive step reads: dedup, splits, output."""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, FailFast, Field, RootModel, Strict, model_validator

from shared.ids import PlainId

type FormatName = Literal["zip", "webdataset", "parquet"]
type AnnotationFormat = Literal["jsonl", "csv", "txt", "yaml", "coco", "labelstudio", "fiftyone"]

_frozen = ConfigDict(frozen=True, extra="forbid", strict=True)


class Dedup(BaseModel):
    """Which images count as copies: those of equal bytes, and those whose hashes are near to each other.

    Perceptual hashes are near if they differ in at most `near_distance` bits; None compares no hashes. `against` names
    earlier datasets of the same user, whose images are left out, too.
    """

    model_config = _frozen

    exact: bool = True
    near_distance: Annotated[int, Field(ge=0, le=8)] | None = 4
    against: Annotated[tuple[PlainId, ...], Strict(False), FailFast(), Field(max_length=20)] = ()


class Splits(RootModel[dict[Literal["train", "val", "test"], Annotated[float, Field(ge=0, le=1)]]]):
    """The share of the images that each split gets. The shares add up to 1."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)

    root: dict[Literal["train", "val", "test"], Annotated[float, Field(ge=0, le=1)]] = {"train": 1.0}

    @property
    def shares(self) -> dict[str, float]:
        """The share of each split, by its name."""
        return {str(name): share for name, share in self.root.items()}

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if not math.isclose(sum(self.root.values()), 1.0, abs_tol=1e-6):
            raise ValueError("the shares must add up to 1")
        return self


class Output(BaseModel):
    """The form in which a dataset is delivered: its format and its annotation files.

    "zip" is one ZIP file. "webdataset" is tar shards in which each image has its `.json`, `.txt` and `.cls` beside it.
    "parquet" is Parquet shards with a row for each image.
    The seed decides the order of the images. A shard exceeds `shard_size` bytes by one image and padding at most. If
    there would be more than 1,000 shards, they are larger.
    With `relevance`, annotations have the score of this name, and with `embeddings`, the dataset has the embedding of
    each image.
    """

    model_config = _frozen

    format: FormatName = "zip"
    annotations: Annotated[tuple[AnnotationFormat, ...], Strict(False), FailFast(), Field(max_length=20)] = (
        "jsonl",
    )
    shard_size: Annotated[int, Field(ge=100_000, le=4_000_000_000)] = 256_000_000
    relevance: bool = False
    embeddings: bool = False
