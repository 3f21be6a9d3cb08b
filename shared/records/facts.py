"""Facts about an image, which were read from its bytes."""

from dataclasses import dataclass

from shared.records.embedded import SILENT, Embedded


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Facts about an image that were read from its bytes.

    `sha256` is lower-case hex of the stored bytes, and `crc32` is their ZIP checksum. `perceptual_hash` is 16
    lower-case hex digits (64 bits). It is empty for a flat picture, which is not compared with others. `width` and
    `height` are pixels as stored. `format` is "jpeg", "png", "webp", "gif" and so on. `mode` is the colour model as
    stored: "rgb", "grey", "cmyk" and so on, or "rgb16" and so on if a channel has 16 bits. `frames` counts pictures,
    and `orientation` is EXIF's value from 1 to 8.

    The perceptual hash and the values from `sharpness` to `dominant_color` are of the upright picture, on white if it
    is transparent. `sharpness` is the variance of the Laplacian of the grey thumbnail. `brightness` and `contrast` are
    the mean and the standard deviation of the thumbnail, divided by 255. `entropy` is in bits, and `dominant_color` is
    "#rrggbb". `aspect_ratio` is the longer side divided by the shorter one, and `bytes_per_pixel` the size of the file
    divided by its pixels. Both are of the file as it was found, before a transform. `relevance` is the cosine of the
    picture's embedding and that of its label, from -1 to 1. It is None if the job did not ask for it, or the image has
    no label. `scorer` is the name of the model that scored the picture, or empty. `embedding` is the vector that it
    gave, as `shared.records.embeddings` encodes it. It is kept only if the dataset delivers it. `faces` is the number
    of faces that a model found, before they were blurred, and `nsfw` the probability from 0 to 1 that the picture is
    not safe for work. They are None if they were not measured. `color_profile` is the name that the embedded ICC
    profile gives itself. `mended` is empty if the original bytes are stored. Otherwise it names the parts that were
    removed or corrected because some readers refuse them ("notes", "animation" and so on). `embedded` is what the file
    said about itself when it came, also if the stored copy has no metadata.
    """

    format: str
    width: int
    height: int
    size_bytes: int
    sha256: str
    crc32: int
    perceptual_hash: str
    mode: str = "rgb"
    frames: int = 1
    orientation: int = 1
    sharpness: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    entropy: float = 0.0
    dominant_color: str = "#000000"
    aspect_ratio: float = 0.0
    bytes_per_pixel: float = 0.0
    color_profile: str = ""
    mended: str = ""
    relevance: float | None = None
    scorer: str = ""
    embedding: str = ""
    faces: int | None = None
    nsfw: float | None = None
    embedded: Embedded = SILENT
