"""Activity over time stays small, however long a job runs, and loses no count."""

import random
from datetime import UTC, datetime, timedelta

from shared.jobs.ledger.activity import MOST_SPANS, Activity, Counts

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def busy(moments: list[float]) -> Activity:
    """An activity of one chunk with two kept images and one rejected at each moment, in seconds after the beginning."""
    found = Activity()
    for seconds in moments:
        found = found.plus(Activity.at(BEGAN + timedelta(seconds=seconds), Counts(1, 2, 1)))
    return found


def total(activity: Activity) -> Counts:
    found = Counts()
    for counts in activity.spans.values():
        found = found.plus(counts)
    return found


def test_an_activity_of_a_day_has_few_spans_in_a_small_cell_and_every_count():
    random_ = random.Random(1)
    found = busy([random_.uniform(0, 86_400) for _ in range(3000)])
    assert len(found.spans) <= MOST_SPANS
    assert total(found) == Counts(3000, 6000, 3000)
    assert len(found.encode()) < 4000
    assert Activity.decode(found.encode()) == found


def test_the_order_of_what_is_added_changes_nothing():
    moments = [float(second * second) for second in range(200)]
    mixed = moments[:]
    random.Random(2).shuffle(mixed)
    halves = Activity.sum([busy(mixed[::2]), busy(mixed[1::2])])
    assert busy(moments) == busy(mixed) == halves


def test_a_retry_after_a_week_does_not_make_the_spans_longer():
    first = [float(second) for second in range(20)]
    found = busy([*first, *(7 * 86_400 + second for second in first)])
    assert (found.seconds, len(found.spans)) == (1, 40)


def test_nothing_is_an_activity_too():
    assert Activity.decode("") == Activity.sum([]) == Activity()
