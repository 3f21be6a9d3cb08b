"""Shares of splits."""

import pytest
from pydantic import ValidationError

from shared.archiving.options import Splits
from shared.errors import InvalidRequest
from tests.unit.known_sources import parse_spec


@pytest.mark.parametrize(
    "shares",
    [
        {"train": 1},
        {"train": 0.8, "val": 0.1, "test": 0.1},
        {"train": 0.7, "val": 0.2, "test": 0.1},
        {"val": 1.0},
        {"train": 1 / 3, "val": 1 / 3, "test": 1 / 3},
        {"train": 0.3333333, "val": 0.3333333, "test": 0.3333334},
        {"train": 1, "test": 0},
    ],
)
def test_shares_that_add_up_to_one_are_accepted(shares):
    assert Splits(shares).shares == shares


@pytest.mark.parametrize(
    "shares",
    [
        {},
        {"train": 0},
        {"train": 0.9},
        {"train": 0.8, "val": 0.1},
        {"train": 0.8, "val": 0.1, "test": 0.2},
        {"train": 0.5, "test": 0.50001},
        {"train": 0.99999},
        {"train": 1, "test": 1},
    ],
)
def test_shares_that_do_not_add_up_to_one_are_refused_with_their_field(shares):
    with pytest.raises(ValidationError, match="must add up to 1"):
        Splits(shares)
    with pytest.raises(InvalidRequest) as error:
        parse_spec({"name": "a", "keywords": ["cat"], "splits": shares})
    [wrong] = error.value.fields
    assert wrong.field == "splits"
    assert "add up to 1" in wrong.message


@pytest.mark.parametrize(
    "shares", [{"train": 1.5, "test": -0.5}, {"train": 1, "dev": 0}, {"train": float("nan")}]
)
def test_a_share_that_is_not_from_0_to_1_or_names_no_split_is_refused(shares):
    with pytest.raises(ValidationError):
        Splits(shares)
