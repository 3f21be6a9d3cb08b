"""A producer's list of images that are in storage already, to be made a dataset of."""

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


def _not_our_own(name: str) -> str:
    if name.startswith(_OWN):
        raise ValueError("must not be one of the app's own blobs")
    return name


class StoredImage(BaseModel):
    """One blob of the datasets' container, with the label it gets."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[BlobName, AfterValidator(_not_our_own)]
    label: str | None = None


def _with_its_name(image: object) -> object:
    return {"name": image} if isinstance(image, str) else image


type _Image = Annotated[StoredImage, BeforeValidator(_with_its_name)]


class ImageList(BaseModel):
    """`{"job_id": …, "images": [blob name or {"name", "label"}, …], "name": …}`.

    Without a label, an image gets its folder's name. The images are checked, hashed and deduplicated to the byte,
    and kept whatever their size and shape: whoever stored them has chosen them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    job_id: str | None = None
    name: Annotated[str, Field(min_length=1, max_length=200)] = "archive"
    images: Annotated[
        tuple[_Image, ...], Strict(False), FailFast(), Field(min_length=1, max_length=_MAX_IMAGES)
    ]

    def spec(self, specs: SpecReader) -> JobSpec:
        """The spec of the job that makes the dataset, as the app reads specs."""
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
    """An image list from decoded JSON.

    Raises:
        InvalidRequest: it is wrong; every wrong field is named, up to twenty.
    """
    try:
        return ImageList.model_validate(data)
    except ValidationError as error:
        raise InvalidRequest("The list of images is not valid.", field_errors(error)) from None
