"""Vectors are stored compactly, and come back as they were rounded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.records.embeddings import decode_embedding, dimensions_of, encode_embedding

VECTORS = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=50)


@given(VECTORS)
def test_a_vector_comes_back_in_half_precision_and_its_size_is_known_without_decoding(numbers):
    vector = np.array(numbers, np.float32)
    text = encode_embedding(vector)
    assert decode_embedding(text).tolist() == vector.astype(np.float16).tolist()
    assert dimensions_of(text) == len(numbers)


def test_a_vector_of_1024_numbers_takes_2732_characters():
    assert len(encode_embedding(np.zeros(1024, np.float32))) == 2732


@pytest.mark.parametrize("text", ["AAA", "AA==", "AAAA", "ä", "A A=", "=AAA"])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match=r"."):
        decode_embedding(text)
