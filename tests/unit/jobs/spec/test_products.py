"""Products of allowed numbers are limited, and streams of variations are made only when they are needed."""

import resource
import time

import pytest

from shared.clock import SystemClock
from shared.errors import InvalidRequest
from shared.jobs.discovery.streams import OpenSource, Streams, Turns
from shared.jobs.ledger.discovery import StreamState
from shared.jobs.spec.products import MAX_ITEMS, MAX_PAGES, MAX_SEARCHES
from shared.jobs.spec.spec import encode_spec
from tests.expect import present
from tests.unit.known_sources import decode_spec, open_source, parse_spec
from tests.unit.manual_clock import ManualClock

OPENVERSE = {"type": "openverse"}
URL = "https://a/1.jpg"


def _labels(labels: int, keywords: int) -> dict[str, list[str]]:
    return {f"label {at}": [f"word {at} {number}" for number in range(keywords)] for at in range(labels)}


def _told(spec) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as refused:
        parse_spec(spec)
    return [(told.field, told.message) for told in refused.value.fields]


def test_a_product_of_allowed_numbers_is_refused_soon_with_the_number_and_the_limit():
    begun, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert _told({"labels": _labels(1000, 50), "sources": [OPENVERSE] * 20}) == [
        (
            "labels",
            (
                "must ask for at most 20,000 searches, not 1,000,000 "
                "(50,000 keywords and variations at 20 sources that search)"
            ),
        )
    ]
    assert time.process_time() - begun < 3  # some 0.2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


@pytest.mark.parametrize(
    ("labels", "keywords", "sources", "variations", "searches"),
    [
        (1000, 20, 1, {}, 20_000),
        (1000, 1, 20, {}, 20_000),
        (400, 50, 1, {}, 20_000),
        (1000, 10, 1, {"plurals": True}, 20_000),
        (1000, 4, 1, {"templates": ["a {}"] * 4}, 20_000),
        (200, 50, 1, {"plurals": True, "templates": ["a {}"] * 10}, 20_000),  # 50 variations a label at most
        (8, 50, 50, {}, 20_000),
    ],
)
def test_as_many_searches_as_are_allowed_are_accepted_and_one_more_is_not(
    labels, keywords, sources, variations, searches
):
    assert searches == MAX_SEARCHES
    spec = {"labels": _labels(labels, keywords), "sources": [OPENVERSE] * sources, "variations": variations}
    parsed = parse_spec(spec)
    assert decode_spec(encode_spec(parsed), internal=True) == parsed
    spec["labels"]["label 0"] = spec["labels"]["label 0"][1:] if keywords > 1 else ["a"]
    more = {f"more {number}": ["word"] for number in range(2)} if labels < 999 else {}
    [(field, message)] = _told(
        {**spec, "labels": spec["labels"] | more, "sources": [OPENVERSE] * (sources + (not more))}
    )
    assert field == "labels"
    assert message.startswith("must ask for at most 20,000 searches, not ")


def test_sources_that_do_not_search_do_not_count_and_keywords_count_as_labels():
    lists = [{"type": "urls", "items": [URL]}] * 49
    parse_spec({"labels": _labels(400, 50), "sources": [*lists, OPENVERSE]})
    keywords = [f"word {number}" for number in range(1000)]
    [(field, _)] = _told({"keywords": keywords, "sources": [OPENVERSE] * 21})
    assert field == "keywords"


def test_items_of_all_lists_and_pages_of_all_websites_have_a_limit():
    for lists in ([MAX_ITEMS + 1], [MAX_ITEMS, 1], [MAX_ITEMS // 4] * 5):
        sources = [{"type": "urls", "items": [URL] * number} for number in lists]
        told = f"must have at most 50,000 items in all, not {sum(lists):,}; longer lists belong in a blob"
        assert _told({"sources": sources}) == [("sources", told)]
    half = {"type": "urls", "items": [URL] * (MAX_ITEMS // 2)}
    parse_spec({"sources": [half, half]})
    site = {"type": "website", "start_urls": ["https://a/"], "max_pages": 10_000}
    assert MAX_PAGES == 50_000
    parse_spec({"sources": [site] * 5})
    assert _told({"sources": [site] * 5 + [site | {"max_pages": 1}]}) == [
        ("sources", "must ask for at most 50,000 pages of websites in all (max_pages), not 50,001")
    ]


def test_a_million_items_are_refused_before_they_are_looked_at():
    class Items(list[int]):
        def __iter__(self):
            raise AssertionError("the items were looked at")

    assert _told({"sources": [{"type": "urls", "items": Items([0] * 50_001)}]})[0][0] == "sources"


def _streams(spec, states=None) -> Streams:
    opened = [OpenSource(at, config, open_source(config)) for at, config in enumerate(spec.sources)]
    return Streams(spec, opened, states or {})


def test_streams_of_variations_are_made_when_their_turn_comes():
    spec = parse_spec({"labels": _labels(200, 50), "variations": {"templates": ["a {}"]}})
    streams = _streams(spec)
    turns = Turns(tuple(streams.made), SystemClock(), streams.make_variations)
    assert len(streams.made) == 200 * 50
    for number in range(200 * 50):
        assert len(streams.made) == 200 * 50 + number // 50 * 50
        stream = present(turns.take())
        assert not stream.variation
        stream.state.ended = True
        turns.put_back(stream, 0.0)
    assert len(streams.made) == 2 * 200 * 50
    assert present(turns.take()).key == "0:label 0/a word 0 0"


def test_variations_go_on_where_all_keywords_had_ended_before():
    spec = parse_spec({"keywords": ["cat", "dog"], "variations": {"templates": ["a {}", "the {}"]}})
    states = {"0:cat/cat": StreamState(ended=True), "0:cat/a cat": StreamState(ended=True)}
    streams = _streams(spec, states)
    turns = Turns(tuple(streams.made), SystemClock(), streams.make_variations)
    assert [present(turns.take()).key for _ in range(2)] == ["0:dog/dog", "0:cat/the cat"]
    assert turns.take() is None


def test_waiting_streams_return_in_the_order_of_their_times_and_do_not_slow_down_the_others():
    clock = ManualClock()
    streams = _streams(parse_spec({"labels": _labels(400, 50)}))
    turns = Turns(tuple(streams.made), clock, streams.make_variations)
    for number in range(19_999):
        turns.put_back(present(turns.take()), 1000.0 - number % 7)
    begun = time.process_time()
    last = present(turns.take())
    for _ in range(20_000):
        turns.put_back(last, 0.0)
        assert turns.take() is last
    assert time.process_time() - begun < 2  # some 0.05; where all that wait are looked at each time, a minute
    turns.put_back(last, 1.0)
    assert turns.take() is None
    assert turns.wait_seconds == 1.0
    clock.advance(1.0)
    assert turns.take() is last
    clock.advance(993.0)
    assert present(turns.take()).key == streams.made[6].key


def test_an_item_has_so_many_further_fields_at_most():
    further = {f"field {number}": number for number in range(100)}
    parse_spec({"sources": [{"type": "urls", "items": [{"url": URL, **further}]}]})
    assert _told({"sources": [{"type": "urls", "items": [URL, {"url": URL, "more": 1, **further}]}]}) == [
        ("sources.0.items.1", "must have at most 100 further fields")
    ]
