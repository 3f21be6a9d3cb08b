"""The scores of an image are those of the file that was found, and a spec can filter by each of them."""

import pytest

from shared.crawling.judging.inspect import inspect
from shared.crawling.judging.judge import Judged, judge
from shared.crawling.options import CrawlOptions, Filters, Resize, Transform
from shared.records.records import Reason, Rejected
from shared.records.scores import SCORES_OF_ALL, ScoreRange
from shared.web.wishes.respect import Respect
from tests.unit.crawling.judging.pictures import encoded


def judged(data, filters=None, transform=None):
    return judge(data, CrawlOptions(filters or Filters(), transform, Respect()))


def facts_of(data, transform=None):
    found = judged(data, transform=transform)
    assert isinstance(found, Judged)
    return found.facts


def test_the_shape_and_the_bytes_per_pixel_are_those_of_the_file_that_was_found():
    data = encoded("JPEG")
    facts = facts_of(data)
    assert facts.aspect_ratio == round(320 / 240, 4)
    assert facts.bytes_per_pixel == round(len(data) / (320 * 240), 5)
    changed = facts_of(data, Transform(resize=Resize(mode="pad", size=64)))
    assert (changed.width, changed.height) == (64, 64)
    for name in SCORES_OF_ALL:
        assert getattr(changed, name) == getattr(facts, name)


@pytest.mark.parametrize("name", SCORES_OF_ALL)
def test_a_value_at_a_limit_is_kept_and_one_beyond_it_is_rejected_with_the_value(name):
    data = encoded("PNG")
    value = getattr(facts_of(data), name)
    assert value > 0
    for limits in (ScoreRange(min=value), ScoreRange(max=value), ScoreRange(min_percentile=99)):
        assert isinstance(judged(data, Filters(scores={name: limits})), Judged)
    for limits, side in (
        (ScoreRange(min=value * 1.01), "below"),
        (ScoreRange(max=value * 0.99), "above"),
    ):
        found = inspect(data, Filters(scores={name: limits}))
        assert isinstance(found, Rejected)
        assert found.reason is Reason.SCORE_FILTERED
        assert found.detail.startswith(f"{name} {value:g} is {side} ")
