import pytest

from shared.users.caller import TierName
from shared.users.tiers import DEFAULT_TIERS, read_tiers


def test_without_changes_the_default_tiers_hold():
    assert read_tiers({}) == DEFAULT_TIERS


def test_a_change_of_one_field_leaves_the_others():
    tiers = read_tiers({"free": {"requests_per_minute": 7}})
    assert tiers[TierName.FREE] == DEFAULT_TIERS[TierName.FREE].model_copy(update={"requests_per_minute": 7})
    assert tiers[TierName.PRO] == DEFAULT_TIERS[TierName.PRO]


@pytest.mark.parametrize(
    "changes",
    [
        {"gold": {}},
        {"free": {"requests": 7}},
        {"free": {"requests_per_minute": 0}},
        {"free": {"jobs_at_once": "many"}},
        {"pro": {"monthly_price_usd": -1}},
        {"free": {"monthly_price_usd": 1}},
    ],
)
def test_a_change_that_breaks_a_rule_is_refused(changes):
    with pytest.raises(ValueError, match=r"."):
        read_tiers(changes)
