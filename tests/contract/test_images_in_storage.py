"""Images are read and made in every kind of storage."""

import asyncio
import io

import pytest
from PIL import Image as Pillow

from shared.errors import Damaged
from shared.images.image import ImageFilter
from shared.settings import Settings
from shared.wiring import App
from tests.unit.images.stored_images import FILES, Image, add_dataset


@pytest.fixture
def app(blobs, entities):
    app = App(Settings())
    vars(app).update(blobs=blobs, entities=entities)
    return app


async def test_images_and_small_ones_come_out_of_one_file(app, unique):
    forms = [*FILES] * 3
    hostile = Image("bad", changed=(("offset", 10**10),))
    images = [*(Image(form=form) for form in forms), hostile]
    await add_dataset(app, images, dataset_id=unique, user_id=unique)
    wanted, place, found = ImageFilter(), None, []
    while True:
        page = await app.dataset_images.page(unique, unique, wanted, place, 5)
        found += page.images
        place = page.following
        if place is None:
            break
    *good, bad = found
    for image, form in zip(good, forms, strict=True):
        assert await app.dataset_images.find(unique, unique, image.id) == image
        assert await app.image_files.original(image) == FILES[form]
        small = await asyncio.gather(*(app.image_files.small(image, 64) for _ in range(3)))
        with Pillow.open(io.BytesIO(small[0]), formats=["JPEG"]) as opened:
            assert (opened.size, len(set(small))) == ((64, 48), 1)
    # the range begins after the end of the file
    with pytest.raises(Damaged):
        await app.image_files.original(bad)
    stored = {info.name async for info in app.blobs.list(f"derived/job_{unique}/")}
    assert len(stored) == len(FILES)


async def test_instances_count_sort_and_find_copies_by_one_index(blobs, entities, app, unique):
    images = [Image(changed=(("sharpness", number),)) for number in range(9)]
    await add_dataset(app, images, dataset_id=unique, user_id=unique)
    others = [App(Settings()) for _ in range(3)]
    for other in others:
        vars(other).update(blobs=blobs, entities=entities)
    found = await asyncio.gather(*(other.dataset_statistics.read(unique, unique) for other in others))
    assert [numbers.images for numbers in found] == [9, 9, 9]
    assert await app.dataset_statistics.read(unique, unique) == found[0]
    page = await app.sorted_images.page(unique, unique, ImageFilter(), None, 4, "sharpest")
    assert [image.facts.sharpness for image in page.images] == [8, 7, 6, 5]
    assert (await app.duplicates.page(unique, unique, "", None, 5)).groups == []
    stored = {info.name.rpartition("/")[2] async for info in blobs.list(f"derived/job_{unique}/")}
    assert "statistics.json" in stored
