"""Encodes the vectors that a model gave for pictures, for records.

An embedding is the base64 text of its numbers as float16 in little-endian order (IEEE 754). So a vector of 1,024
numbers takes 2,732 characters. Its numbers are rounded to 11 significant bits.
"""

from base64 import b64decode, b64encode
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_NUMBER_BYTES = 2


class EmbeddingKind(NamedTuple):
    """What embeddings must have in common to be compared: the model and the number of dimensions."""

    scorer: str
    dimensions: int


def encode_embedding(vector: NDArray[np.float32]) -> str:
    """Encodes a vector of one dimension, whose numbers are between -1 and 1."""
    return b64encode(vector.astype("<f2").tobytes()).decode("ascii")


def decode_embedding(text: str) -> NDArray[np.float16]:
    """Decodes what `encode_embedding` encoded.

    Raises:
        ValueError: the text is no base64, or ends within a number.
    """
    return np.frombuffer(b64decode(text, validate=True), "<f2")


def dimensions_of(text: str) -> int:
    """Returns how many numbers an encoded embedding has, without decoding it."""
    return (len(text) * 3 // 4 - text[-2:].count("=")) // _NUMBER_BYTES
