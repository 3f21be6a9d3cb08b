"""Reads the files of models, which the operator puts into the app's storage."""

import re

from shared.errors import Conflict, NotFound, Permanent
from shared.records.blob_names import model_blob
from shared.storage.blobs import BlobStore

_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

MAX_MODEL_BYTES = 1_000_000_000
"""The size that one file with weights may have. While a model is loaded, its bytes are in memory twice."""

MAX_CONFIG_BYTES = 1_000_000
"""The size that a JSON file with settings may have."""

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
        try:
            data = await self._blobs.get(blob, length=info.size_bytes)
        except NotFound:
            raise Permanent(f"'{blob}' was deleted while it was read.") from None
        except Conflict as error:
            raise Permanent(f"'{blob}' cannot be read: {error.detail}") from None
        if len(data) != info.size_bytes:
            raise Permanent(f"'{blob}' changed while it was read.")
        return data
