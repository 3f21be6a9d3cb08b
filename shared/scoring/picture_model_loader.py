"""Loads the models for faces and content from storage. A process loads each when a job first needs it, and keeps it."""

import asyncio
from typing import TYPE_CHECKING

from shared.errors import Permanent
from shared.scoring.model_files import (
    CONFIG_FILE,
    FACES_FILES,
    MODEL_FILE,
    NSFW_FILES,
    PREPROCESSOR_FILE,
    ModelFiles,
)
from shared.scoring.model_names import ModelNames
from shared.scoring.picture_models import NO_MODELS, PictureClassifier, PictureModels

if TYPE_CHECKING:
    from shared.scoring.faces.detector import FaceDetector


class PictureModelLoader:
    """Loads models. Tasks may call it at the same time. If a model could not be loaded, the next call tries again."""

    def __init__(self, files: ModelFiles, names: ModelNames) -> None:
        self._files = files
        self._names = names
        self._faces: FaceDetector | None = None
        self._nsfw: PictureClassifier | None = None
        self._loading = asyncio.Lock()

    async def load(self, *, faces: bool, nsfw: bool) -> PictureModels:
        """Returns the models for faces and for content that is not safe for work, as far as they are wanted.

        Raises:
            Permanent: the settings name no such model, or its files are missing or of another kind.
            Unavailable: storage did not answer.
        """
        if not faces and not nsfw:
            return NO_MODELS
        async with self._loading:
            return PictureModels(
                await self._face_detector() if faces else None,
                await self._classifier() if nsfw else None,
            )

    async def _face_detector(self) -> "FaceDetector":
        if self._faces is None:
            name = self._names.faces
            if name is None:
                raise Permanent("The app has no model that finds faces. The operator has to set FACES_MODEL.")
            data = await self._files.read(name, MODEL_FILE, FACES_FILES[MODEL_FILE])
            self._faces = await asyncio.to_thread(_made_detector, name, data)
        return self._faces

    async def _classifier(self) -> PictureClassifier:
        if self._nsfw is None:
            name = self._names.nsfw
            if name is None:
                raise Permanent(
                    "The app has no model that rates content. The operator has to set NSFW_MODEL."
                )
            # the small files first, so that a missing one is reported before much is read
            config = await self._files.read(name, CONFIG_FILE, NSFW_FILES[CONFIG_FILE])
            preprocessor = await self._files.read(name, PREPROCESSOR_FILE, NSFW_FILES[PREPROCESSOR_FILE])
            data = await self._files.read(name, MODEL_FILE, NSFW_FILES[MODEL_FILE])
            self._nsfw = await asyncio.to_thread(
                _made_classifier, name, data, config, preprocessor, self._names.nsfw_labels
            )
        return self._nsfw


def _made_detector(name: str, model: bytes) -> "FaceDetector":
    """Makes the detector. OpenCV is imported here, in a thread."""
    from shared.scoring.faces.detector import FaceDetector

    return FaceDetector(name, model)


def _made_classifier(
    name: str, model: bytes, config: bytes, preprocessor: bytes, labels: tuple[str, ...]
) -> PictureClassifier:
    """Makes the classifier. The libraries are imported here, in a thread."""
    from shared.scoring.onnx.classifier import OnnxClassifier
    from shared.scoring.onnx.preprocessing import Preprocessing

    return OnnxClassifier(name, model, config, Preprocessing.read(preprocessor, name), labels)
