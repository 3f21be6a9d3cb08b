"""Judges files with tiny models, and makes the files."""

import io
from functools import cache

import numpy as np
from PIL import Image

from shared.crawling.judging.judge import AwaitingMemory, Judged, judge, judge_with_memory
from shared.crawling.options import CrawlOptions, Filters, Transform
from shared.records.records import Rejected
from shared.scoring.faces.detector import BgrPicture, FaceDetector
from shared.scoring.picture_models import NO_MODELS, PictureModels
from shared.web.wishes.respect import Respect
from tests.unit.scoring.faces.yunet import scene, yunet

FACE = (64, 128, 64)
"""The left and upper edges and the side of the face in the picture, in pixels."""
FORMATS = ("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif")


@cache
def detector() -> FaceDetector:
    return FaceDetector("tiny", yunet())


def options(transform: Transform | None = None, **filters: object) -> CrawlOptions:
    return CrawlOptions(Filters.model_validate({"formats": FORMATS} | filters), transform, Respect())


def judged(data: bytes, wanted: CrawlOptions, models: PictureModels | None = None) -> Judged | Rejected:
    """Judges a file as the worker does."""
    if models is None:
        models = PictureModels(detector()) if wanted.filters.looks_for_faces else NO_MODELS
    found = judge(data, wanted, models=models)
    while isinstance(found, AwaitingMemory):
        found = judge_with_memory(found, wanted)
    return found


def kept(found: Judged | Rejected) -> Judged:
    assert isinstance(found, Judged), found
    return found


def face_picture() -> BgrPicture:
    return scene(640, 640, FACE)


def image_of(pixels: BgrPicture) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))


def opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image


def pixels_of(data: bytes) -> BgrPicture:
    return np.ascontiguousarray(np.asarray(opened(data).convert("RGB"))[:, :, ::-1])


def saved(image: Image.Image, form: str, **extra: object) -> bytes:
    lossless: dict[str, dict[str, object]] = {
        "JPEG": {"quality": 95, "subsampling": 0},
        "WEBP": {"lossless": True},
        "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    }
    out = io.BytesIO()
    image.save(out, form, **(lossless.get(form, {}) | extra))
    return out.getvalue()


def animated(form: str, *faces_of_frames: tuple[tuple[int, int, int], ...]) -> bytes:
    """Returns an animation, or a TIFF with pages, of frames with these faces."""
    frames = [image_of(scene(640, 640, *faces)) for faces in faces_of_frames]
    # frames that are the same are joined otherwise
    for number, frame in enumerate(frames):
        frame.putpixel((0, 0), (number * 20 % 255, 0, 0))
    return saved(frames[0], form, save_all=True, append_images=frames[1:])
