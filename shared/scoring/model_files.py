"""Reads the files of models, which the operator puts into the app's storage."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Final

from shared.errors import Conflict, NotFound, Permanent
from shared.records.blob_names import model_blob
from shared.storage.blobs import BlobInfo, BlobStore, Tier

_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

# while a model is loaded, the bytes of its weights are in memory twice
_MAX_WEIGHTS_BYTES = 1_000_000_000
_MAX_FACE_WEIGHTS_BYTES = 50_000_000
# the tokenizer of SigLIP 2 covers many languages and has 34 MB
_MAX_TOKENIZER_BYTES = 50_000_000
_MAX_CONFIG_BYTES = 1_000_000

CONFIG_FILE: Final = "config.json"
PREPROCESSOR_FILE: Final = "preprocessor_config.json"
TOKENIZER_CONFIG_FILE: Final = "tokenizer_config.json"
TOKENIZER_FILE: Final = "tokenizer.json"
MODEL_FILE: Final = "model.onnx"
VISION_FILE: Final = "vision_model.onnx"
TEXT_FILE: Final = "text_model.onnx"

RELEVANCE_FILES: Final = {
    PREPROCESSOR_FILE: _MAX_CONFIG_BYTES,
    TOKENIZER_CONFIG_FILE: _MAX_CONFIG_BYTES,
    TOKENIZER_FILE: _MAX_TOKENIZER_BYTES,
    VISION_FILE: _MAX_WEIGHTS_BYTES,
    TEXT_FILE: _MAX_WEIGHTS_BYTES,
}
"""Names the files of a relevance model in ONNX, and the largest size of each in bytes."""

FACES_FILES: Final = {MODEL_FILE: _MAX_FACE_WEIGHTS_BYTES}
"""The files of a model that finds faces, and how many bytes each may have."""

NSFW_FILES: Final = {
    CONFIG_FILE: _MAX_CONFIG_BYTES,
    PREPROCESSOR_FILE: _MAX_CONFIG_BYTES,
    MODEL_FILE: _MAX_WEIGHTS_BYTES,
}
"""The files of a model that rates content, and how many bytes each may have."""

_FILE_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", re.ASCII)


def is_model_name(text: str) -> bool:
    """Returns whether a text can be the name of a model, which is that of a folder in storage."""
    return _MODEL_NAME.fullmatch(text) is not None


class ModelFiles:
    """The files of models, at `models/{model}/{file}` in the container of the datasets."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    async def read(self, model: str, file: str, max_bytes: int) -> bytes:
        """Returns a whole file of a model. No more than `max_bytes` of it come into memory.

        Raises:
            Permanent: a name is wrong, or the file is missing, empty, too large, or in the Archive tier.
            Unavailable: storage did not answer.
        """
        info = await self._find(model, file, max_bytes)
        blob = info.name
        try:
            data = await self._blobs.get(blob, length=info.size_bytes)
        except NotFound:
            raise Permanent(f"'{blob}' was deleted while it was read.") from None
        except Conflict as error:
            raise Permanent(f"'{blob}' cannot be read: {error.detail}") from None
        if len(data) != info.size_bytes:
            raise Permanent(f"'{blob}' changed while it was read.")
        return data

    async def problems(self, model: str, files: Mapping[str, int]) -> Sequence[str]:
        """Returns why files of a model cannot be read: a text for each such file.

        No file is read, so what is in the files is not checked. `files` has how many bytes each may have.

        Raises:
            Unavailable: storage did not answer.
        """
        asked = (self._find(model, file, max_bytes) for file, max_bytes in files.items())
        problems = []
        for found in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(found, Permanent):
                problems.append(found.detail)
            elif isinstance(found, BaseException):
                raise found
        return problems

    async def _find(self, model: str, file: str, max_bytes: int) -> BlobInfo:
        if not is_model_name(model) or not _FILE_NAME.fullmatch(file):
            raise Permanent(f"'{model[:100]}' and '{file[:100]}' must be names of a model and of its file.")
        blob = model_blob(model, file)
        info = await self._blobs.info(blob)
        if info is None:
            raise Permanent(
                f"The model '{model}' has no file '{blob}' in storage. The operator has to put it there."
            )
        if not 1 <= info.size_bytes <= max_bytes:
            raise Permanent(f"'{blob}' has {info.size_bytes:,} bytes; it must have 1 to {max_bytes:,}.")
        if info.tier is Tier.ARCHIVE:
            raise Permanent(f"'{blob}' cannot be read: it is in the Archive tier.")
        return info
