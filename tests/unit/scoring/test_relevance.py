"""Relevance is the cosine of a picture and its label, and each label is embedded once."""

import asyncio

import numpy as np
import pytest

from shared.errors import Unavailable
from shared.scoring.relevance import Relevance, text_of
from shared.scoring.scorer import Embedding, unit_vector

PICTURE = np.zeros((4, 4, 3), np.uint8)


class Recorder:
    """A model that has one vector for all pictures, and that records the texts."""

    name = "recorder"

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.failing = False

    async def embed_picture(self, picture) -> Embedding:
        return unit_vector([1, 1, picture[0, 0, 0]], self.name)

    async def embed_text(self, text: str) -> Embedding:
        self.texts.append(text)
        await asyncio.sleep(0)
        if self.failing:
            raise Unavailable("busy")
        return unit_vector([1, -1 if "dog" in text else 1, 0], self.name)


async def test_many_pictures_of_a_label_need_one_call_for_its_text():
    model = Recorder()
    relevance = Relevance(model)
    picture = await relevance.embed(PICTURE)

    cats = await asyncio.gather(*(relevance.measure(picture, "cat") for _ in range(50)))

    assert set(cats) == {1}
    assert await relevance.measure(picture, "dog") == 0
    assert model.texts == ["a photo of cat", "a photo of dog"]
    assert relevance.scorer_name == "recorder"


async def test_a_failed_call_is_made_again_for_the_next_picture():
    model = Recorder()
    relevance = Relevance(model)
    picture = await relevance.embed(PICTURE)
    model.failing = True
    with pytest.raises(Unavailable):
        await relevance.measure(picture, "cat")
    model.failing = False

    assert await relevance.measure(picture, "cat") == 1


async def test_a_caller_that_is_cancelled_leaves_the_call_to_the_others():
    model = Recorder()
    relevance = Relevance(model)
    picture = await relevance.embed(PICTURE)
    first = asyncio.create_task(relevance.measure(picture, "cat"))
    second = asyncio.create_task(relevance.measure(picture, "cat"))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == 1
    assert len(model.texts) == 1


async def test_the_labels_that_are_remembered_are_bounded():
    model = Recorder()
    relevance = Relevance(model)
    picture = await relevance.embed(PICTURE)
    for number in range(2001):
        await relevance.measure(picture, f"label {number}")

    await relevance.measure(picture, "label 2000")
    assert len(model.texts) == 2001
    await relevance.measure(picture, "label 0")
    assert len(model.texts) == 2002


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("cat", "a photo of cat"),
        ("golden_retriever", "a photo of golden retriever"),
        ("{}{0}", "a photo of {}{0}"),
    ],
)
def test_a_label_becomes_a_short_description(label, text):
    assert text_of(label) == text
