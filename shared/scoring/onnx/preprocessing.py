"""Makes the input of a model out of a picture, as the model's `preprocessor_config.json` describes it.

The steps and their order are those of the image processors of the library `transformers`: resize, crop from the middle,
rescale, normalise (https://huggingface.co/docs/transformers/main_classes/image_processor). CLIP's resizes the shorter
side and crops a square. SigLIP's and ViT's resize to a square.
"""

from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from shared.scoring.model_files import PREPROCESSOR_FILE
from shared.scoring.onnx.config_files import invalid_file, read_config
from shared.scoring.scorer import Picture

_MAX_SIDE = 1024
# a longer picture is cut first: the parts beyond the middle are not seen, and would take memory
_MAX_RATIO = 4

type _Side = Annotated[int, Field(ge=1, le=_MAX_SIDE)]
type _Number = Annotated[float, Field(allow_inf_nan=False)]
type _Channels = tuple[_Number, _Number, _Number]
type _Deviations = tuple[
    Annotated[_Number, Field(gt=0)], Annotated[_Number, Field(gt=0)], Annotated[_Number, Field(gt=0)]
]


class _Size(BaseModel):
    height: _Side | None = None
    width: _Side | None = None
    shortest_edge: _Side | None = None


class _Config(BaseModel):
    """The fields of the file that are used. Others are ignored, as many files have fields for other steps."""

    model_config = ConfigDict(extra="ignore")

    do_resize: bool = True
    size: _Side | _Size = 224
    resample: Annotated[int, Field(ge=0, le=5)] = Image.Resampling.BICUBIC
    do_center_crop: bool = False
    crop_size: _Side | _Size | None = None
    do_rescale: bool = True
    rescale_factor: Annotated[_Number, Field(gt=0, le=1)] = 1 / 255
    do_normalize: bool = True
    image_mean: _Channels = (0.5, 0.5, 0.5)
    image_std: _Deviations = (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The steps before a model.

    The picture is resized so that its shorter side has `shortest_edge` pixels, or else to `size` (height, width). Then
    `size` is cut out of the middle. A value v from 0 to 255 becomes v * `scale` + `offset`, by channel.
    """

    size: tuple[int, int]
    shortest_edge: int | None
    resample: Image.Resampling
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]

    @classmethod
    def read(cls, data: bytes, model: str) -> Self:
        """Reads a `preprocessor_config.json`. `model` is used in errors only.

        Raises:
            Permanent: the file is not valid. The text names the wrong field.
        """
        config = read_config(_Config, data, PREPROCESSOR_FILE, model)
        try:
            return cls._of(config)
        except ValueError as error:
            raise invalid_file(PREPROCESSOR_FILE, model, str(error)) from None

    @classmethod
    def _of(cls, config: _Config) -> Self:
        if not config.do_resize:
            raise ValueError("do_resize must be true")
        size, shortest_edge = _sizes(config)
        factor = config.rescale_factor if config.do_rescale else 1.0
        mean, deviation = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        if config.do_normalize:
            mean, deviation = config.image_mean, config.image_std
        scale = factor / np.array(deviation)
        offset = -np.array(mean) / np.array(deviation)
        return cls(
            size,
            shortest_edge,
            Image.Resampling(config.resample),
            scale.astype(np.float32),
            offset.astype(np.float32),
        )

    def apply(self, picture: Picture) -> NDArray[np.float32]:
        """Returns the input of a model: an array of shape (1, 3, height, width), red first."""
        height, width = self.size
        image = Image.fromarray(_bounded(picture))
        if self.shortest_edge is not None:
            image = image.resize(_resized(image.size, self.shortest_edge), self.resample)
            # the same rounding as that of `transformers.image_transforms.center_crop`
            left, top = (image.width - width) // 2, (image.height - height) // 2
            image = image.crop((left, top, left + width, top + height))
        else:
            image = image.resize((width, height), self.resample)
        values = np.asarray(image, np.float32) * self.scale + self.offset
        return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def _sizes(config: _Config) -> tuple[tuple[int, int], int | None]:
    """Returns the size (height, width) of the model's input, and the shorter side before the crop, if it crops."""
    size = config.size
    if not config.do_center_crop:
        found = (size, size) if isinstance(size, int) else (size.height, size.width)
        if found[0] is None or found[1] is None:
            raise ValueError("size must have height and width, or do_center_crop must be true")
        return (found[0], found[1]), None
    shortest = size if isinstance(size, int) else size.shortest_edge
    crop = config.crop_size if config.crop_size is not None else shortest
    cut = (crop, crop) if isinstance(crop, int) else (crop.height, crop.width) if crop else (None, None)
    if shortest is None or cut[0] is None or cut[1] is None:
        raise ValueError("size must have shortest_edge, and crop_size must have height and width")
    if max(cut[0], cut[1]) > shortest:
        raise ValueError("crop_size must not be larger than size")
    return (cut[0], cut[1]), shortest


def _bounded(picture: Picture) -> Picture:
    """Returns the middle of a picture that is much longer than it is wide."""
    height, width = picture.shape[:2]
    most = _MAX_RATIO * min(height, width)
    top, left = max(0, height - most) // 2, max(0, width - most) // 2
    return np.ascontiguousarray(picture[top : top + most, left : left + most])


def _resized(size: tuple[int, int], shortest: int) -> tuple[int, int]:
    """Returns the width and height with this shorter side. The longer one is rounded down, as `transformers` does."""
    shorter, longer = min(size), max(size)
    long = int(shortest * longer / shorter)
    return (shortest, long) if size[0] <= size[1] else (long, shortest)
