"""Reads a producer's list of stored images, of which a job makes a dataset."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    Strict,
    ValidationError,
)

from shared.errors import InvalidRequest
from shared.jobs.spec.field_errors import field_errors
from shared.jobs.spec.spec import JobSpec, SpecReader
from shared.records.blob_names import DATASETS, WORK
from shared.text.blob_name_rule import BlobName

_MAX_IMAGES = 10_000
_OWN = (WORK, DATASETS, "answers/")


def _no_own_blob(name: str) -> str:
    if name.startswith(_OWN):
        raise ValueError("must not be one of the app's own blobs")
    return name


class StoredImage(BaseModel):
    """One blob in the container of datasets, and the label that it gets."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[BlobName, AfterValidator(_no_own_blob)]
    label: str | None = None


def _as_object(image: object) -> object:
    return {"name": image} if isinstance(image, str) else image


type _Image = Annotated[StoredImage, BeforeValidator(_as_object)]


class ImageList(BaseModel):
    """`{"job_id": …, "images": [blob name or {"name", "label"}, …], "name": …}`.

    The label of an image is the name of its folder unless the list gives one. The images are checked, hashed and
    deduplicated by their bytes. They are kept in any size and shape, since the producer has chosen them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    job_id: str | None = None
    name: Annotated[str, Field(min_length=1, max_length=200)] = "archive"
    images: Annotated[
        tuple[_Image, ...], Strict(False), FailFast(), Field(min_length=1, max_length=_MAX_IMAGES)
    ]

    def spec(self, specs: SpecReader) -> JobSpec:
        """Returns the spec of the job that makes the dataset."""
        items = [image.model_dump(exclude_none=True) for image in self.images]
        formats = ["jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"]
        data = {
            "name": self.name,
            "sources": [{"type": "blobs", "items": items}],
            "filters": {
                "min_width": 1,
                "min_height": 1,
                "max_aspect_ratio": 1000,
                "max_bytes": 100_000_000,
                "formats": formats,
            },
            "dedup": {"exact": True, "near_distance": None},
        }
        return specs.parse(data, internal=True)


def parse_image_list(data: object) -> ImageList:
    """Returns the image list in decoded JSON.

    Raises:
        InvalidRequest: the list is not valid. The error names up to twenty wrong fields.
    """
    try:
        return ImageList.model_validate(data)
    except ValidationError as error:
        raise InvalidRequest("The list of images is not valid.", field_errors(error)) from None
