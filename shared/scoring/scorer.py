"""Defines what models say about pictures: embeddings, and the relevance of a picture to a text."""

import asyncio
from typing import Protocol

import numpy as np

from shared.errors import Permanent
from shared.scoring.no_embedding import NoEmbedding

type Picture = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
"""An upright picture in sRGB, on white: an array of shape (height, width, 3), red first, uint8."""

type Embedding = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
"""A vector of one dimension and of length 1, float32. `unit_vector` makes one."""

_LONGEST = 16_384
"""The numbers that a vector may have. CLIP's and SigLIP's models have 512 to 1,536, and Azure AI Vision has 1,024."""


class Scorer(Protocol):
    """A model that maps pictures and texts to vectors of one space. Many tasks may use it at the same time."""

    @property
    def name(self) -> str:
        """The name of the model, for the card of a dataset and for its records."""
        ...

    async def embed_picture(self, picture: Picture) -> Embedding:
        """Returns the embedding of a picture.

        Raises:
            NoEmbedding: the model has no vector for this picture. The image has no score.
            Permanent: the model cannot be used. The job fails.
            Retryable: the model did not answer. The image is tried again.
        """
        ...

    async def embed_text(self, text: str) -> Embedding:
        """Returns the embedding of a text. It has as many numbers as that of a picture.

        Raises:
            Permanent: the model cannot be used. The job fails.
            Retryable: the model did not answer. The image that needs the text is tried again.
        """
        ...


def unit_vector(numbers: object, model: str) -> Embedding:
    """Scales the numbers that a model gave to length 1.

    Raises:
        Permanent: they are no vector of numbers, so the model is not of the right kind. The text names the model.
        NoEmbedding: they are not finite, or all are zero. This may be due to one picture.
    """
    try:
        vector = np.asarray(numbers, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise Permanent(f"The model '{model}' gave an embedding that is not numbers.") from None
    if vector.ndim != 1 or not 1 <= vector.size <= _LONGEST:
        raise Permanent(
            f"The model '{model}' gave an embedding of shape {vector.shape}; "
            f"it must be one vector of up to {_LONGEST:,} numbers."
        )
    longest = float(np.abs(vector).max())
    if not 0 < longest < np.inf:
        raise NoEmbedding(f"the model '{model}' gave an embedding that has no direction")
    # first to a length near 1, so that no square overflows or vanishes
    vector = vector / longest
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def cosine(one: Embedding, other: Embedding) -> float:
    """Returns the cosine of the angle between two embeddings, from -1 to 1.

    Raises:
        Permanent: they have different numbers of dimensions, so they are not of one model.
    """
    if one.shape != other.shape:
        raise Permanent(
            f"An embedding has {one.size} numbers and another has {other.size}; they must be of one model."
        )
    return max(-1.0, min(1.0, float(one.astype(np.float64) @ other.astype(np.float64))))


def retrieve_error(task: "asyncio.Task[object]") -> None:
    """Takes the error of a task that many callers wait for. Otherwise it is logged if all of them were cancelled."""
    if not task.cancelled():
        task.exception()
