"""What a spec would do is said without doing it, and in a bounded time."""

import time

import pytest

from shared.storage.memory.queues import MemoryQueues
from tests.unit.functions.http.http_calls import Caller, memory_app
from tests.unit.functions.http.test_lists import _dataset

ITEMS = ["http://images.example/1.jpg", {"url": "http://images.example/2.jpg", "label": "dog"}]


async def outlook(caller, spec):
    answered = await caller.post("specs/validate", spec)
    assert answered.status == 200, answered.body
    return answered.body


def warnings_of(body):
    return [(each["field"], each["message"]) for each in body["warnings"]]


async def test_queries_are_counted_by_source_and_by_label(caller):
    spec = {
        "labels": {"cat": ["cat", "kitten"], "dog": ["dog"]},
        "variations": {"plurals": True},
        "sources": [{"type": "openverse"}, {"type": "wikimedia"}],
        "max_images_per_label": 10,
    }
    body = await outlook(caller, spec)
    assert body["accepted"]
    common = {"asked": True, "missing_setting": None, "queries": 3, "variation_queries": 3}
    assert body["sources"] == [
        {"type": "openverse", **common, "candidates_max": 6 * 240},
        {"type": "wikimedia", **common, "candidates_max": 6 * 10_000},
    ]
    # what a label of ten images takes in all rounds of discovery
    most = {"candidates_max": 160, "images_max": 10}
    assert body["labels"] == {
        "cat": {"queries": 4, "variation_queries": 4, **most},
        "dog": {"queries": 2, "variation_queries": 2, **most},
    }
    assert (body["candidates_max"], body["images_max"], body["warnings"]) == (320, 20, [])


async def test_the_spec_is_answered_with_all_defaults_and_can_be_submitted_as_it_is(caller):
    given = {"keywords": ["a", "cat"], "sources": [{"type": "urls", "items": ITEMS}, {"type": "openverse"}]}
    spec = (await outlook(caller, given))["spec"]
    assert spec["labels"] == {"a": ["a"], "cat": ["cat"]}
    assert (spec["filters"]["min_width"], spec["max_images_per_label"]) == (64, None)
    assert spec["sources"][0]["items"] == [{"url": ITEMS[0]}, ITEMS[1]]
    assert (await outlook(caller, spec))["spec"] == spec
    assert (await caller.post("jobs", spec)).status == 201


async def test_nothing_is_stored_and_nothing_is_asked(app, caller):
    await outlook(caller, {"keywords": ["cat"]})
    # the rate limits count the call itself
    assert app.entities._tables.keys() <= {"ratelimits"}
    assert [info async for info in app.blobs.list("")] == []
    queues = app.queues
    assert isinstance(queues, MemoryQueues)
    assert queues.take("crawl-jobs") == []
    assert (await caller.get("jobs")).body["items"] == []


async def test_a_source_without_its_setting_is_named_and_the_others_are_counted(caller):
    spec = {"keywords": ["cat"], "sources": [{"type": "flickr"}, {"type": "openverse"}]}
    body = await outlook(caller, spec)
    assert not body["accepted"]
    flickr, openverse = body["sources"]
    assert (flickr["missing_setting"], flickr["asked"], flickr["queries"]) == ("FLICKR_API_KEY", False, 0)
    assert (openverse["missing_setting"], openverse["queries"]) == (None, 1)
    assert body["candidates_max"] == 240
    assert (await caller.post("jobs", spec)).status == 400


async def test_a_client_of_openverse_is_offered_more(monkeypatch):
    app = memory_app(openverse_client_id="id", openverse_client_secret="secret")
    monkeypatch.setattr("functions.http.endpoint.app", lambda: app)
    body = await outlook(Caller(app), {"keywords": ["cat"]})
    assert (body["candidates_max"], body["images_max"]) == (11 * 500 + 50, 500)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"keywords": 1},
        {"keywords": ["cat"], "filters": {"min_width": 0, "wrong": 1}},
        {"sources": [{"type": "dataset", "id": "nobodys"}]},
        {"keywords": ["cat"], "dedup": {"against": ["nobodys"]}},
        {"sources": [{"type": "openverse"}]},
    ],
)
async def test_a_wrong_spec_is_refused_as_it_is_when_it_is_submitted(caller, spec):
    found = await caller.post("specs/validate", spec)
    submitted = await caller.post("jobs", spec)
    assert found.status == submitted.status == 400
    assert (found.body["detail"], found.errors) == (submitted.body["detail"], submitted.errors)


async def test_lists_websites_and_datasets_have_the_bounds_that_are_known(app, caller):
    await app.catalog.put(_dataset("old", 0))
    items, blob = {"type": "urls", "items": ITEMS}, {"type": "urls", "blob": "inputs/list.csv"}
    website = {"type": "website", "start_urls": ["https://images.example/"], "label": "boat"}
    dataset = {"type": "dataset", "id": "old"}
    found = [
        (body["candidates_max"], body["images_max"], list(body["labels"]))
        for body in [await outlook(caller, {"sources": [one]}) for one in (items, blob, website, dataset)]
    ]
    assert found == [(2, 2, []), (10_000_000, 10_000_000, []), (None, None, ["boat"]), (1, 1, [])]
    limited = await outlook(caller, {"sources": [website, items], "max_images_per_label": 5})
    assert limited["labels"]["boat"] == {
        "queries": 1,
        "variation_queries": 0,
        "candidates_max": 105,
        "images_max": 5,
    }
    assert (limited["candidates_max"], limited["images_max"]) == (107, 7)


async def test_a_searched_label_has_no_limit_of_images_if_a_list_may_name_it(caller):
    spec = {"keywords": ["cat"], "sources": [{"type": "openverse"}, {"type": "urls", "items": ITEMS}]}
    body = await outlook(caller, spec)
    assert body["labels"]["cat"]["images_max"] == body["labels"]["cat"]["candidates_max"] == 240
    assert body["images_max"] == 242


URLS = {"sources": [{"type": "urls", "items": ITEMS}]}


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        ({"keywords": ["cat"], **URLS}, ["labels"]),
        ({**URLS, "variations": {"plurals": True}}, ["variations"]),
        ({"sources": [{"type": "urls", "items": ITEMS, "format": "csv"}]}, ["sources.0.format"]),
        ({**URLS, "output": {"shard_size": 1_000_000}}, ["output.shard_size"]),
        ({**URLS, "output": {"format": "webdataset", "shard_size": 1_000_000}}, []),
        ({**URLS, "transform": {"format": "png", "quality": 90}}, ["transform.quality"]),
        ({**URLS, "transform": {"format": "jpeg", "quality": 90}}, []),
        ({"sources": [{"type": "dataset", "id": "old"}], "respect": {"robots": False}}, ["respect"]),
        (
            {**URLS, "dedup": {"exact": False, "near_distance": None, "against": ["old"]}},
            ["dedup.against"],
        ),
        ({"keywords": ["cat"], "filters": {"licenses": ["pexels"]}}, ["sources.0"]),
        ({"keywords": ["cat"], "filters": {"licenses": ["by"]}}, []),
    ],
)
async def test_fields_without_effect_are_named(app, caller, spec, fields):
    await app.catalog.put(_dataset("old", 0))
    assert [field for field, _ in warnings_of(await outlook(caller, spec))] == fields


async def test_a_source_that_has_no_image_of_the_licences_is_not_asked(caller):
    body = await outlook(caller, {"keywords": ["cat"], "filters": {"licenses": ["pexels"]}})
    why = "is not asked, as it gives nothing under the licences of filters.licenses"
    assert warnings_of(body) == [("sources.0", why)]
    assert (body["sources"][0]["asked"], body["candidates_max"], body["accepted"]) == (False, 0, True)


async def test_the_largest_specs_are_answered_in_a_bounded_time(caller):
    words = {f"label {at}": [f"word {at} {number}" for number in range(10)] for at in range(1000)}
    searches = {"labels": words, "sources": [{"type": "openverse"}, {"type": "wikimedia"}]}
    urls = [f"http://images.example/{number}.jpg" for number in range(50_000)]
    for spec in (searches, {"sources": [{"type": "urls", "items": urls}]}):
        began = time.monotonic()
        await outlook(caller, spec)
        # measured: about a second each
        assert time.monotonic() - began < 8
