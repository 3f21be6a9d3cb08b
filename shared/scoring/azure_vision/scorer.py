"""Implements Scorer with the multimodal embeddings of Azure AI Vision.

Source of the calls: "Do image retrieval using multimodal embeddings",
https://learn.microsoft.com/azure/ai-services/computer-vision/how-to/image-retrieval, version 2024-02-01 of the API.
The address needs the name of the resource, because addresses of regions accept no identity: "Authenticate requests to
Azure AI services", https://learn.microsoft.com/azure/ai-services/authentication.
"""

import asyncio
import json
from typing import Final

from shared.errors import Permanent
from shared.scoring.azure_vision.calls import NAME, PictureRefused, VisionCalls
from shared.scoring.azure_vision.pictures import jpeg_of
from shared.scoring.no_embedding import NoEmbedding
from shared.scoring.scorer import Embedding, Picture, unit_vector

MODEL_VERSION: Final = "2023-04-15"
"""The model for texts in many languages. Its vectors cannot be compared with those of another version."""
DIMENSIONS: Final = 1024
MAX_WORDS: Final = 70
"""The service takes no longer texts."""

_QUERY = {"api-version": "2024-02-01", "model-version": MODEL_VERSION}


class AzureVision:
    """Implements `Scorer`. A picture is one call of the service, and so is a text."""

    name = f"azure-ai-vision-{MODEL_VERSION}"

    def __init__(self, calls: VisionCalls) -> None:
        self._calls = calls

    async def embed_picture(self, picture: Picture) -> Embedding:
        """See `Scorer.embed_picture`. The service may not take a picture."""
        data = await asyncio.to_thread(jpeg_of, picture)
        try:
            return await self._embed("vectorizeImage", "application/octet-stream", data)
        except PictureRefused:
            raise NoEmbedding(f"{NAME} does not take this picture") from None

    async def embed_text(self, text: str) -> Embedding:
        """See `Scorer.embed_text`. Words after the seventieth are left out, because the service takes no more."""
        words = " ".join(text.split()[:MAX_WORDS])
        try:
            return await self._embed(
                "vectorizeText", "application/json", json.dumps({"text": words}).encode()
            )
        except (PictureRefused, NoEmbedding):
            raise Permanent(f"{NAME} has no vector for the text '{words[:100]}'.") from None

    async def _embed(self, operation: str, content_type: str, data: bytes) -> Embedding:
        path = f"/computervision/retrieval:{operation}"
        return _vector(await self._calls.post(path, _QUERY, content_type, data))


def _vector(body: bytes) -> Embedding:
    """Reads `{"modelVersion": "2023-04-15", "vector": [0.1, …]}`.

    Raises:
        NoEmbedding: the vector has no direction.
        Permanent: the answer has another shape, or is of another model.
    """
    try:
        answer = json.loads(body)
        numbers, model = answer["vector"], answer["modelVersion"]
    except (ValueError, RecursionError, KeyError, TypeError):
        numbers, model = None, None
    if not _is_vector(numbers) or model != MODEL_VERSION:
        raise Permanent(
            f"{NAME} answered with something else than a vector of {DIMENSIONS:,} numbers of the model "
            f"{MODEL_VERSION}. Check AZURE_VISION_ENDPOINT."
        )
    return unit_vector(numbers, AzureVision.name)


def _is_vector(numbers: object) -> bool:
    return (
        isinstance(numbers, list)
        and len(numbers) == DIMENSIONS
        and all(type(number) in {int, float} for number in numbers)
    )
