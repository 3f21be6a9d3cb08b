"""Variations of keywords: which searches are made, in which order, and when."""

import pytest

from shared.clock import Deadline
from shared.errors import Permanent
from shared.jobs.ledger.discovery import DiscoveryStates
from tests.unit.jobs.discovery.searching import Search, by, discover

pytestmark = pytest.mark.usefixtures("search")

VARIED = {"plurals": True, "templates": ["photo of {}"]}


async def test_variations_are_asked_only_where_keywords_did_not_fill_the_label(flow, search):
    spec = {
        "labels": {"cat": ["cat", "kitten"], "dog": ["dog"]},
        "sources": [{"type": "search", "total": 100}],
        "variations": VARIED,
        "max_images_per_label": 80,
    }
    urls, _ = await discover(flow, spec)
    assert by(urls, 3) == {"cat": 90, "kitten": 90, "dog": 100, "dogs": 40, "photo_of_dog": 40}
    first = [text for _, text, start in search.asked if not start]
    assert first == ["cat", "kitten", "dog", "dogs", "photo of dog"]


async def test_variations_wait_for_keywords_that_wait(flow, search):
    spec = {
        "keywords": ["cat"],
        "sources": [{"type": "search", "total": 30, "wait": 50}],
        "variations": VARIED,
        "max_images_per_label": 1000,
    }
    urls, delays = await discover(flow, spec)
    assert by(urls, 3) == {"cat": 30, "cats": 30, "photo_of_cat": 30}
    assert [text for _, text, _ in search.asked][:3] == ["cat"] * 3
    assert delays == [50.0] * 4


async def test_without_the_option_there_are_no_variations(flow):
    urls, _ = await discover(flow, {"keywords": ["cat"], "sources": [{"type": "search", "total": 5}]})
    assert by(urls, 3) == {"cat": 5}


async def test_variations_are_for_searches_only(flow):
    sources = [{"type": "fake", "total": 5}, {"type": "search", "total": 5}]
    urls, _ = await discover(flow, {"keywords": ["cat"], "sources": sources, "variations": VARIED})
    assert len(urls) == 20


def _first_asked(search):
    """Returns the keywords in the order of the requests for their first pages."""
    return [(name, text) for name, text, start in search.asked if not start]


async def test_every_variation_is_asked_of_every_searching_source_under_its_own_label(flow, search):
    sources = [
        {"type": "search", "name": "one", "total": 3},
        {"type": "fake", "total": 2},
        {"type": "search", "name": "two", "total": 4},
    ]
    variations = {"plurals": True, "templates": ["photo of {}", "{} close-up"]}
    labels = {"cat": ["cat", "kitten"], "dog": ["dog"]}
    urls, _ = await discover(flow, {"labels": labels, "sources": sources, "variations": variations})
    cats = ["cats", "kittens", "photo of cat", "photo of kitten", "cat close-up", "kitten close-up"]
    dogs = ["dogs", "photo of dog", "dog close-up"]
    asked = _first_asked(search)
    for name in ("one", "two"):
        mine = [text for source, text in asked if source == name]
        assert [text for text in mine if "cat" in text or "kitten" in text] == ["cat", "kitten", *cats]
        assert [text for text in mine if "dog" in text] == ["dog", *dogs]
    assert by(urls, 2) == {"one": 3 * 12, "two": 4 * 12, "x": 4}
    state = await _state(flow)
    assert state.found == {"cat": 7 * 8 + 2, "dog": 7 * 4 + 2}


async def _state(flow):
    [work] = [work async for work in flow.jobs.works()]
    return (await DiscoveryStates(flow.ledger, flow.blobs).read(work.job_id))[0]


async def test_a_labels_variations_wait_for_all_sources_of_their_own_label_and_for_no_other(flow, search):
    sources = [
        {"type": "search", "name": "short", "total": 10},
        {"type": "search", "name": "long", "total": 60},
    ]
    labels = {"cat": ["cat"], "dog": ["dog", "puppy"]}
    await discover(flow, {"labels": labels, "sources": sources, "variations": {"plurals": True}})
    pages = [(name, text, start) for name, text, start in search.asked]
    for label, keywords, variations in (
        ("cat", ["cat"], ["cats"]),
        ("dog", ["dog", "puppy"], ["dogs", "puppies"]),
    ):
        last = max(at for at, (_, text, _) in enumerate(pages) if text in keywords)
        first = min(at for at, (_, text, _) in enumerate(pages) if text in variations)
        assert last < first, label


async def test_a_full_label_asks_for_no_variation_while_another_does(flow, search):
    sources = [{"type": "search", "total": 60}]
    labels = {"cat": ["cat", "kitten"], "dog": ["dog"]}
    spec = {"labels": labels, "sources": sources, "variations": VARIED, "max_images_per_label": 40}
    await discover(flow, spec)
    assert _first_asked(search) == [
        ("one", text) for text in ("cat", "kitten", "dog", "dogs", "photo of dog")
    ]


async def test_variations_stop_where_they_have_filled_the_label(flow):
    sources = [{"type": "search", "total": 50}]
    spec = {"keywords": ["dog"], "sources": sources, "variations": VARIED, "max_images_per_label": 50}
    urls, _ = await discover(flow, spec)
    assert by(urls, 3) == {"dog": 50, "dogs": 35, "photo_of_dog": 35}
    spec["variations"] = {"plurals": True, "templates": ["photo of {}", "{} close-up"]}
    urls, _ = await discover(flow, {**spec, "max_images_per_label": 40})
    assert by(urls, 3) == {"dog": 50, "dogs": 17, "photo_of_dog": 17, "dog_close-up": 16}


async def test_variations_continue_over_slices_and_no_page_is_asked_for_twice(flow, search):
    """This holds if a slice ends among the keywords, and if it ends among the variations."""
    sources = [{"type": "search", "total": 20, "page": 5, "cost": 1.0}]
    spec = {"labels": {"cat": ["cat"], "dog": ["dog"]}, "sources": sources, "variations": VARIED}
    whole, _ = await discover(flow, spec)
    for budget in (1.5, 3.0, 7.0, 11.0):
        search.asked.clear()
        flow.deadline = lambda budget=budget: Deadline.after(flow.clock, budget)
        cut, delays = await discover(flow, spec)
        assert delays
        assert (
            by(cut, 3)
            == by(whole, 3)
            == dict.fromkeys(("cat", "dog", "cats", "dogs", "photo_of_cat", "photo_of_dog"), 20)
        )
        assert len(search.asked) == len(set(search.asked)) == 6 * 4


async def test_variations_have_their_turn_after_a_keyword_is_given_up(flow, monkeypatch):
    pages = Search.pages

    async def failing(self, query, cursor):
        if query.text == "cat":
            raise Permanent("no")
        async for page in pages(self, query, cursor):
            yield page

    monkeypatch.setattr(Search, "pages", failing)
    urls, _ = await discover(
        flow, {"keywords": ["cat"], "sources": [{"type": "search", "total": 5}], "variations": VARIED}
    )
    assert by(urls, 3) == {"cats": 5, "photo_of_cat": 5}
    assert (await _state(flow)).streams["0:cat/cat"].gave_up


async def test_a_slice_that_begins_where_one_source_has_ended_lets_variations_wait_for_the_other(
    flow, search
):
    sources = [
        {"type": "search", "name": "short", "total": 10, "cost": 1.0},
        {"type": "search", "name": "long", "total": 60, "cost": 1.0},
    ]
    flow.deadline = lambda: Deadline.after(flow.clock, 2.5)
    _, delays = await discover(
        flow, {"keywords": ["dog"], "sources": sources, "variations": {"plurals": True}}
    )
    assert len(delays) > 3
    texts = [text for _, text, _ in search.asked]
    assert texts == ["dog"] * 7 + ["dogs"] * 7
