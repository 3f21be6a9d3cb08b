"""What the card says about how a dataset was made."""

from dataclasses import replace

import pytest

from shared.archiving.options import Dedup, Output, Splits

ODD_NAME = "~~x~~ | <b> \u202e # & `y` [z](https://evil.example)"


async def _card(studio, order):
    with await studio.zip(order) as archive:
        return archive.read("README.md").decode()


@pytest.mark.parametrize(
    ("dedup", "line"),
    [
        (Dedup(), "equal bytes; perceptual hashes up to 4 of 64 bits apart"),
        (Dedup(near_distance=0), "equal bytes; perceptual hashes up to 0 of 64 bits apart"),
        (Dedup(exact=False), "perceptual hashes up to 4 of 64 bits apart"),
        (Dedup(near_distance=None), "equal bytes"),
        (Dedup(exact=False, near_distance=None), "none"),
        (
            Dedup(against=("old", "older")),
            "equal bytes; perceptual hashes up to 4 of 64 bits apart; also against old, older",
        ),
        (Dedup(exact=False, near_distance=None, against=("old",)), "none"),
    ],
)
async def test_the_card_says_which_images_counted_as_copies(studio, dedup, line):
    order = replace(await studio.crawl(5), dedup=dedup)
    assert f"\n- deduplication: {line}\n" in await _card(studio, order)


@pytest.mark.parametrize(
    ("limit", "whole", "line"),
    [(None, (), "no limit"), (7, (), "7"), (7, ("cat",), "7, all of those in lists")],
)
async def test_the_card_says_how_many_images_a_label_may_have(studio, limit, whole, line):
    order = await studio.crawl(5, max_images_per_label=limit, whole_labels=whole)
    assert f"\n- images per label: {line}\n" in await _card(studio, order)


async def test_the_card_has_the_shares_and_the_seed(studio):
    order = await studio.crawl(5, splits=Splits({"train": 0.75, "test": 0.25}), seed=9)
    assert "\n- splits: train 0.75, test 0.25; seed 9\n" in await _card(studio, order)


@pytest.mark.parametrize("form", ["zip", "webdataset"])
async def test_hostile_names_and_labels_are_plain_text_in_the_card(studio, form):
    order = await studio.crawl(5, name=ODD_NAME, output=Output(format=form))
    order = await studio.describe(order, lambda record: replace(record.candidate, label=ODD_NAME))
    if form == "zip":
        card = await _card(studio, order)
    else:
        await studio.archive(order)
        card = (await studio.blobs.get(f"{order.prefix}README.md")).decode()
    shown = r"\~\~x\~\~ \| \<b\> \<U+202E\> \# & \`y\` \[z\](https\://evil.example)"
    assert f"\n# {shown}\n" in card
    assert f"| {shown} | 5 | 5 |" in card
    assert (f"| 0 | {shown} |" in card) == (form == "webdataset")
    assert "\u202e" not in card
