"""Small images are made once and stored, in bounded time and memory, also of hostile records and at the same time."""

import asyncio
import hashlib
import threading
from dataclasses import replace

import pytest

from shared.errors import Conflict, Damaged, NotFound
from shared.images import files
from shared.images.image import ImageFilter, decode_id, encode_id
from tests.unit.functions.http.http_calls import memory_app
from tests.unit.images.stored_images import FILES, Image, add_dataset, add_preview

ALL = ImageFilter()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def app():
    return memory_app()


async def _images(app, *images):
    await add_dataset(app, images)
    return (await app.dataset_images.page("admin", "j", ALL, None, 100)).images


async def _stored(app):
    return [info.name async for info in app.blobs.list("derived/")]


@pytest.mark.parametrize(
    "changed",
    [
        {"offset": 10**12},
        {"offset": len(FILES["jpeg"]) - 1},
        {"offset": 1},
        {"size_bytes": 1},
        {"size_bytes": len(FILES["jpeg"]) + 1},
        {"sha256": "0" * 64},
        {"format": "png"},
    ],
)
async def test_other_bytes_than_the_record_describes_are_damage_and_nothing_is_stored(app, changed):
    [image] = await _images(app, Image(changed=tuple(changed.items())))
    for read in (app.image_files.original(image), app.image_files.small(image, 64)):
        with pytest.raises(Damaged):
            await read
    assert await _stored(app) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"offset": -1},
        {"offset": "x"},
        {"size_bytes": 0},
        {"size_bytes": -5},
        {"blob": "../job_other/dataset.zip"},
        {"blob": "records.jsonl.gz"},
        {"blob": ""},
        {"sha256": "../../x"},
        {"width": None},
        {"dominant_color": "javascript:"},
        {"format": "svg+xml"},
        {"format": 'png"\r\nX: y'},
    ],
)
async def test_a_record_that_names_no_bytes_of_the_dataset_is_damage(app, changed):
    with pytest.raises(Damaged):
        await _images(app, Image(changed=tuple(changed.items())))


async def test_svg_and_other_files_that_are_no_images_are_never_served(app):
    digest = hashlib.sha256(SVG).hexdigest()
    for form in ("svg", "jpeg", "unknown"):
        [image] = await _images(app, Image(data=SVG, changed=(("format", form), ("sha256", digest))))
        with pytest.raises(Damaged):
            await app.image_files.original(image)


async def test_an_image_that_is_too_large_is_not_read(app, monkeypatch):
    monkeypatch.setattr(files, "MOST_BYTES", 100)
    [image] = await _images(app, Image())
    with pytest.raises(Conflict):
        await app.image_files.original(image)
    assert await app.image_files.small(image, 64) is None


async def test_an_image_whose_pixels_are_broken_has_no_small_image(app):
    data = FILES["png"][:3000] + bytes(500) + FILES["png"][3500:]
    [image] = await _images(app, Image(form="png", data=data))
    assert await app.image_files.original(image) == data
    assert await app.image_files.small(image, 64) is None
    assert await _stored(app) == []


async def test_two_images_are_made_small_at_the_same_time_at_most(app, monkeypatch):
    now, most, lock = 0, 0, threading.Lock()
    gate = threading.Barrier(files.DECODES_AT_ONCE)

    def make(*_):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        gate.wait(10)
        with lock:
            now -= 1
        return b"small"

    monkeypatch.setattr(files, "make_small", make)
    images = await _images(app, *(Image(form=form) for form in FILES))
    made = [app.image_files.small(image, width) for image in images for width in (64, 128)]
    assert set(await asyncio.gather(*made)) == {b"small"}
    assert most == files.DECODES_AT_ONCE


async def test_a_small_image_is_made_once_for_all_copies_of_an_image(app, monkeypatch):
    first, second = await _images(app, Image("cat"), Image("dog"))
    made = await app.image_files.small(first, 64)
    monkeypatch.setattr(files, "make_small", lambda *_: pytest.fail("it is stored already"))
    assert await app.image_files.small(second, 64) == made
    assert await _stored(app) == [f"derived/job_j/r1/64/{first.facts.sha256}.jpg"]


async def test_a_run_that_is_killed_before_it_stores_leaves_nothing_and_the_next_one_makes_the_image(
    app, monkeypatch
):
    [image] = await _images(app, Image())
    put = app.blobs.put

    async def die(*_args, **_options):
        raise asyncio.CancelledError

    monkeypatch.setattr(app.blobs, "put", die)
    with pytest.raises(asyncio.CancelledError):
        await app.image_files.small(image, 64)
    assert await _stored(app) == []
    monkeypatch.setattr(app.blobs, "put", put)
    assert await app.image_files.small(image, 64)


async def test_an_image_that_is_made_while_its_dataset_is_deleted_is_not_left_behind(app):
    [image] = await _images(app, Image())
    await app.catalog.begin_deletion("admin", "j", app.clock.now())
    with pytest.raises(NotFound):
        await app.image_files.small(image, 64)
    assert await _stored(app) == []


async def test_the_images_of_other_revisions_are_deleted_with_their_files(app):
    [image] = await _images(app, Image())
    await app.image_files.small(image, 64)
    await add_dataset(app, [Image()], revision=2)
    [second] = (await app.dataset_images.page("admin", "j", ALL, None, 100)).images
    await app.image_files.small(second, 64)
    await app.catalog.delete_other_revisions("admin", "j", app.clock.now())
    assert await _stored(app) == [f"derived/job_j/r2/64/{image.facts.sha256}.jpg"]


async def test_the_preview_of_a_revision_that_is_recorded_later_stays(app):
    dataset = await add_dataset(app, [Image()])
    await add_preview(app, dataset)
    began = app.clock.now()
    await add_preview(app, replace(dataset, revision=2))
    await app.catalog.delete_other_revisions("admin", "j", began)
    assert await _stored(app) == ["derived/job_j/r1/preview.jpg", "derived/job_j/r2/preview.jpg"]


@pytest.mark.parametrize("text", ["r1-0-0", "r12-999-3", "c000001-0", "c000007.0002-5", "c000007ab-1023"])
def test_an_id_is_the_same_after_it_was_read_and_written(text):
    place = decode_id(text)
    assert place is not None
    assert encode_id(place) == text
