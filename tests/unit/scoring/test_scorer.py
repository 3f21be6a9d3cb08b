"""Embeddings are vectors of length 1, and what is no embedding is refused."""

import numpy as np
import pytest

from shared.errors import Permanent
from shared.scoring.scorer import cosine, unit_vector


def test_an_embedding_has_length_one_and_single_precision():
    vector = unit_vector([3, 4], "tiny")

    assert vector.dtype == np.float32
    assert vector.tolist() == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_very_long_and_very_short_vectors_keep_their_direction(scale):
    assert unit_vector([3 * scale, -4 * scale], "tiny").tolist() == pytest.approx([0.6, -0.8])


@pytest.mark.parametrize("numbers", [[[1.0, 2.0]], [], 3.0, "text", [[1], [1, 2]], np.ones(20_000)])
def test_what_is_no_vector_is_refused_as_the_models_fault(numbers):
    with pytest.raises(Permanent, match="The model 'tiny' gave an embedding"):
        unit_vector(numbers, "tiny")


@pytest.mark.parametrize("numbers", [[0.0, 0.0], [1.0, np.nan], [np.inf, 1.0]])
def test_a_vector_without_a_direction_is_an_error_of_one_picture(numbers):
    with pytest.raises(ValueError, match="no direction"):
        unit_vector(numbers, "tiny")


def test_the_cosine_is_one_of_the_same_direction_and_minus_one_of_the_opposite():
    one, other = unit_vector([1, 1], "tiny"), unit_vector([-1, -1], "tiny")

    assert cosine(one, one) == pytest.approx(1)
    assert -1 <= cosine(one, other) <= -0.999999
    assert cosine(one, unit_vector([1, -1], "tiny")) == pytest.approx(0, abs=1e-6)


def test_embeddings_of_two_models_are_not_compared():
    with pytest.raises(Permanent, match="2 numbers and another has 3"):
        cosine(unit_vector([1, 1], "tiny"), unit_vector([1, 1, 1], "other"))
