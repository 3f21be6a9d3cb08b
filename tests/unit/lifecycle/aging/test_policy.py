import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.costs.storage import EARLY_DELETION_DAYS
from shared.lifecycle.aging.policy import (
    DEFAULT_POLICY,
    Action,
    Aging,
    LastTier,
    Policies,
    Policy,
    Step,
    due_step,
    run_moment,
)
from shared.storage.blobs import Tier
from shared.users.caller import TierName
from shared.users.tiers import read_tiers

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NEW = Aging(Tier.HOT, START, START)


def steps_over(policy, days, dataset=NEW):
    """Returns what nightly runs do with a dataset that nobody uses: each step with its day."""
    done = []
    for day in range(days):
        step = due_step(dataset, policy, START + day * DAY)
        if step is not None:
            done.append((day, step.tier or step.action))
            if step.tier is None:
                break
            dataset = replace(dataset, tier=step.tier, tier_changed_at=START + day * DAY)
    return done


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (DEFAULT_POLICY, [(30, Tier.COOL), (90, Tier.ARCHIVE)]),
        (Policy(), []),
        (Policy(30, 90), [(30, Tier.COOL), (90, Tier.COLD)]),
        (Policy(30, 60, 150), [(30, Tier.COOL), (60, Tier.COLD), (150, Tier.ARCHIVE)]),
        (Policy(archive_after_days=1), [(1, Tier.ARCHIVE)]),
        (Policy(30, None, 90, 270), [(30, Tier.COOL), (90, Tier.ARCHIVE), (270, Action.DELETE)]),
    ],
)
def test_a_dataset_takes_each_step_at_its_age(policy, expected):
    assert steps_over(policy, 1000) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        # 20 days in Cool would cost 30
        (Policy(30, None, 50), [(50, Tier.ARCHIVE)]),
        # Cold would be left after 30 of 90 days
        (Policy(30, 60, 90), [(30, Tier.COOL), (90, Tier.ARCHIVE)]),
        # the Archive tier would be left after 30 of 180 days
        (Policy(30, None, 90, 120), [(30, Tier.COOL), (120, Action.DELETE)]),
        (Policy(10, 11, 12, 13), [(13, Action.DELETE)]),
        (Policy(60, 60, 60), [(60, Tier.ARCHIVE)]),
        # a setting may have a later age than a tier's step further down
        (Policy(30, None, 10), [(10, Tier.ARCHIVE)]),
        (Policy(30, None, 90, 20), [(20, Action.DELETE)]),
    ],
)
def test_a_dataset_does_not_enter_a_tier_that_it_would_leave_early(policy, expected):
    assert steps_over(policy, 1000) == expected


@pytest.mark.parametrize("seed", range(200))
def test_no_policy_moves_a_dataset_early_or_upward(seed):
    rng = random.Random(seed)
    policy = Policy(*(rng.choice([None, rng.randint(1, 400)]) for _ in range(4)))
    tier = rng.choice(list(Tier))
    changed = START - rng.randint(0, 200) * DAY
    dataset = Aging(tier, changed, START - rng.randint(0, 400) * DAY)
    order = list(Tier)
    for day in range(0, 1500, rng.choice([1, 1, 7])):
        now = START + day * DAY
        step = due_step(dataset, policy, now)
        if step is None:
            continue
        if step.tier is None:
            assert (policy.delete_after_days or 10_000) <= step.age_days
            break
        assert order.index(step.tier) > order.index(dataset.tier)
        assert now - dataset.tier_changed_at >= EARLY_DELETION_DAYS[dataset.tier] * DAY
        assert step.early_days == 0
        assert (policy.days_until(step.tier) or 10_000) <= step.age_days
        dataset = replace(dataset, tier=step.tier, tier_changed_at=now)
    else:
        assert policy.delete_after_days is None


def test_a_move_waits_until_the_time_of_the_tier_is_over():
    cooled = Aging(Tier.COOL, START + 80 * DAY, START)
    assert due_step(cooled, DEFAULT_POLICY, START + 109 * DAY) is None
    assert due_step(cooled, DEFAULT_POLICY, START + 110 * DAY) == Step(Action.MOVE, Tier.ARCHIVE, 110)


def test_a_deletion_comes_on_its_day_and_says_how_many_days_of_the_tier_are_missing():
    archived = Aging(Tier.ARCHIVE, START + 90 * DAY, START)
    policy = replace(DEFAULT_POLICY, delete_after_days=120)
    assert due_step(archived, policy, START + 119 * DAY) is None
    assert due_step(archived, policy, START + 120 * DAY) == Step(Action.DELETE, None, 120, early_days=150)
    assert due_step(archived, policy, START + 400 * DAY) == Step(Action.DELETE, None, 400)


def test_a_dataset_under_legal_hold_is_moved_but_never_deleted():
    policy = replace(DEFAULT_POLICY, delete_after_days=100)
    held = replace(NEW, legal_hold=True)
    # without the hold, the dataset would leave the Archive tier too early to be moved there
    assert steps_over(policy, 5000, held) == [(30, Tier.COOL), (90, Tier.ARCHIVE)]
    assert steps_over(policy, 5000) == [(30, Tier.COOL), (100, Action.DELETE)]


def test_a_dataset_that_is_on_its_way_to_another_tier_takes_no_step():
    busy = Aging(Tier.HOT, START, START, is_on_its_way=True)
    assert steps_over(Policy(1, 2, 3, 7), 1000, busy) == []


def test_a_dataset_that_stays_online_until_later_takes_no_step_before_its_age_after_that():
    online = replace(NEW, last_used_at=START + 365 * DAY)
    assert steps_over(DEFAULT_POLICY, 1000, online) == [(395, Tier.COOL), (455, Tier.ARCHIVE)]


def test_no_age_is_shortened_by_the_time_of_day():
    late = replace(NEW, last_used_at=START + timedelta(hours=23, minutes=59))
    assert steps_over(Policy(cool_after_days=1), 10, late) == [(2, Tier.COOL)]
    assert run_moment(date(2026, 1, 3)) == START + 2 * DAY


TIERS = read_tiers({"free": {"archive_after_days": 40, "delete_after_days": 400}})


def test_the_policy_is_of_the_settings_then_the_owners_tier_then_the_dataset():
    policies = Policies(Policy(30, None, 90, None))
    assert policies.policy_of(None, None) == Policy(30, None, 90, None)
    assert policies.policy_of(TIERS[TierName.PRO], None) == Policy(30, None, 90, None)
    assert policies.policy_of(TIERS[TierName.FREE], None) == Policy(30, None, 40, 400)
    assert policies.policy_of(TIERS[TierName.FREE], 10) == Policy(30, None, 40, 10)
    assert policies.policy_of(None, 500) == Policy(30, None, 90, 500)


def test_online_replaces_the_archive_tier_by_the_cold_tier():
    policies = Policies(Policy(30, None, 90, 1000), LastTier.ONLINE)
    assert policies.policy_of(None, None) == Policy(30, 90, None, 1000)
    assert policies.policy_of(TIERS[TierName.FREE], None) == Policy(30, 40, None, 400)
    assert Policies(Policy(30, 60, 90), LastTier.ONLINE).policy_of(None, None) == Policy(30, 60)
    assert Policies(Policy(), LastTier.ONLINE).policy_of(None, None) == Policy()
