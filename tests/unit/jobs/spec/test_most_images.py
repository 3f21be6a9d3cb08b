"""How many images a spec asks for at most."""

import pytest

from shared.jobs.spec.most_images import most_images
from tests.unit.known_sources import parse_spec

ITEMS = {"type": "urls", "items": ["http://x/1.jpg", "http://x/2.jpg"]}
BLOB = {"type": "urls", "blob": "inputs/list.csv"}
SEARCH = {"type": "openverse"}


@pytest.mark.parametrize(
    ("spec", "most"),
    [
        ({"keywords": ["a", "b"]}, 1000),
        ({"keywords": ["a", "b"], "max_images_per_label": 30}, 60),
        ({"labels": {"a": ["x", "y"]}, "sources": [SEARCH, {"type": "wikimedia"}]}, 500),
        ({"sources": [ITEMS]}, 2),
        ({"sources": [ITEMS, ITEMS]}, 4),
        ({"sources": [ITEMS, BLOB]}, None),
        ({"sources": [BLOB], "max_images_per_label": 5}, None),
        ({"sources": [{"type": "dataset", "id": "x"}]}, None),
        ({"keywords": ["a"], "sources": [SEARCH, ITEMS]}, None),
    ],
)
def test_the_bound_is_that_of_searches_or_of_lists_in_the_spec(spec, most):
    assert most_images(parse_spec(spec)) == most
