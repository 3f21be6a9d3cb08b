"""Every code block of every page is of a kind that tests run or check."""

import pytest

from tests.documents.reading.kinds import kind_of
from tests.documents.reading.pages import blocks_of, pages


@pytest.mark.parametrize("page", pages())
def test_each_block_is_of_a_known_kind(page: str) -> None:
    assert all(kind_of(block) for block in blocks_of(page))
