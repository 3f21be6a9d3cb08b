"""Uses the view of a dataset by keyboard in a window of 320 pixels, where all texts from the web are hostile."""

from collections import Counter

import pytest

from playground.client import ApiClient
from playground.gallery import default_photos, start_gallery
from shared.records.scores import SCORES_OF_ALL
from tests.e2e.dashboard.driver import NARROW

_HOSTILE = "<img src=x onerror=alert(1)>"
# shows what follows from right to left
_REVERSED = "\u202e"
_LABEL = '"><script>alert(2)</script>'
_LABELS = (_LABEL, "coffee")
# ten addresses of a word have six pictures, one more that looks like the first, and one that is the second again
_ADDRESSES = 30
_LICENSES = ("cc0", "by-sa")


@pytest.fixture
async def gallery():
    runner, address = await start_gallery(default_photos())
    yield address
    await runner.cleanup()


async def _dataset(session, stack, key, gallery):
    items = [
        {
            "url": f"{gallery}/photos/{word}/{number}.jpg",
            "label": label,
            "title": f"{_HOSTILE}{_REVERSED} {word}",
            "creator": f"{_REVERSED}<u>Ann</u>",
            "creator_url": "javascript:alert(3)",
            "page_url": f"{gallery}/page/{number}?{_REVERSED}gpj.exe<b>",
            "license": _LICENSES[number % 2],
        }
        for label, word in zip(_LABELS, ("cat", "coffee"), strict=True)
        for number in range(_ADDRESSES)
    ]
    spec = {
        "name": _HOSTILE,
        "sources": [{"type": "urls", "items": items}],
        "splits": {"train": 0.8, "val": 0.2},
        "dedup": {"near_distance": 6},
    }
    client = ApiClient(session, stack.url, key)
    async for job in client.follow((await client.submit(spec))["id"], 0.5):
        last = job
    assert last["state"] == "completed", last
    images = (await client.get(f"/api/v1/datasets/{last['id']}/images?limit=100"))["items"]
    return await client.get(f"/api/v1/datasets/{last['id']}"), images


async def test_a_person_filters_and_judges_a_dataset_by_keyboard(stack, make_key, use, session, gallery):
    key = await make_key()
    dataset, images = await _dataset(session, stack, key, gallery)
    given = {"key": key, "id": dataset["id"], "name": _HOSTILE, "label": _LABEL}
    facts = (await use("dataset", given, NARROW)).facts
    sharpness = sorted(image["scores"]["sharpness"] for image in images)
    assert [words.partition(" of ")[0] for words, _ in facts["charts"]] == ["Size", "Sharpness", "Brightness"]
    assert all(f"of {len(images)} images" in words for words, _ in facts["charts"])
    assert facts["choices"][0] == "all"
    kept = Counter(image["label"] for image in images)
    assert {f"{label} · {number}" for label, number in kept.items()} <= set(facts["choices"])
    assert facts["inRange"].endswith(f" · {facts['ofRange']}")
    assert 0 < facts["ofRange"] < len(sharpness)
    matching = [image for image in images if (image["label"], image["license"]) == (_LABEL, "cc0")]
    assert facts["chosen"] == len(matching) > 0
    assert {"license=cc0", "sort=sharpest"} <= set(facts["query"].partition("?")[2].split("&"))
    assert (facts["isClear"], facts["focusAfterAll"]) == (True, "by-sort")
    assert facts["focusAfterMore"].endswith(", picture 25")
    _check_pictures(facts)
    rejected = sum((Counter(each["rejected"]) for each in dataset["labels"].values()), Counter[str]())
    assert {"Looks the same", "Same file", "Too small"} <= set(facts["reasons"])
    assert facts["sameFile"] == min(rejected["duplicate"], 20)
    # a hold is for administrators, and this user is none
    assert (facts["mayHold"], facts["moved"]) == (0, 202)
    await _check_report(use, key, dataset)


def _check_pictures(facts):
    assert f"{_HOSTILE} cat by <u>Ann</u>" in facts["first"]
    # the wall has one page of 24
    assert "1 of 24" in facts["first"]
    for text in (facts["first"], facts["second"], facts["copy"]):
        assert {"sharpness", "brightness", "contrast", "entropy"} <= set(text.split())
    assert "Left out: looks the same." in facts["copy"]
    # nothing changes the order of the text, and an address is shown as it is called
    assert not any(_REVERSED in facts[name] for name in ("first", "second", "copy"))
    assert "?%E2%80%AEgpj.exe%3Cb%3E" in facts["first"]
    # the address of a script is no link
    assert all(link.startswith("http://127.0.0.1") and "noopener" in rel for link, rel in facts["links"])
    assert facts["saved"].endswith(".jpeg")


async def _check_report(use, key, dataset):
    given = {"key": key, "id": dataset["id"], "name": _HOSTILE, "label": _LABEL}
    shown = (await use("report_page", given, NARROW | {"colorScheme": "dark"})).facts
    assert shown["title"] == "Report · PixCrawler"
    assert {_HOSTILE, *_LABELS} <= set(shown["texts"])
    # the report's own style, in dark colours
    assert shown["background"] == shown["paper"]
    assert (shown["focus"], shown["sandbox"]) == ("IFRAME", "")
    assert shown["withoutKey"] != ""
    facts = (await use("report", given, NARROW | {"colorScheme": "dark"})).facts
    assert facts["name"] == _HOSTILE
    assert set(facts["labels"]) == set(_LABELS)
    assert facts["histograms"] == len(SCORES_OF_ALL)
    assert facts["pictures"] > len(SCORES_OF_ALL)
    assert (facts["broken"], facts["markup"]) == (0, 0)
