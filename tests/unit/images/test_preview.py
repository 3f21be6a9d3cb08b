"""The preview is made once, within its time, whatever labels and images a dataset has."""

import asyncio
import io

import pytest
from PIL import Image as Pillow

from shared.errors import Conflict, NotFound, Unavailable
from shared.images import preview
from shared.images.sheet import Cell, Group, draw_sheet
from shared.storage.blobs import Tier
from tests.unit.functions.http.http_calls import memory_app
from tests.unit.images.stored_images import Image, add_dataset
from tests.unit.manual_clock import ManualClock

LABELS = ["cat", "ünï 日本語 😀 العربية", "a\u202eb\n<script>", "x" * 300, " ", "\ud83d", "0"]


def size_of(data):
    with Pillow.open(io.BytesIO(data), formats=["JPEG"]) as opened:
        opened.load()
        return opened.size


@pytest.fixture
def app():
    return memory_app()


@pytest.mark.parametrize("label", LABELS)
def test_any_label_is_drawn_on_one_line(label):
    assert size_of(draw_sheet([Group(label, 9, [Cell(None, "#ff0000")] * 7)])) == (824, 308)


def test_the_sheet_is_bounded():
    cells = [Cell(None, "#00ff00")] * 6
    width, height = size_of(
        draw_sheet([Group("label", 10**6, cells)] * preview.MOST_LABELS, "Further labels: 9")
    )
    assert (width, height) == (824, 1676)


async def test_labels_with_the_most_images_come_first(app, monkeypatch):
    drawn = []

    def draw(groups, note):
        drawn.append((groups, note))
        return b"sheet"

    monkeypatch.setattr(preview, "draw_sheet", draw)
    images = [Image(f"label {n}") for n in range(12)] + [
        Image("label 11"),
        Image("label 11"),
        Image("label 9"),
    ]
    await add_dataset(app, images, chunk=100)
    assert await app.previews.preview("admin", "j") == b"sheet"
    [(groups, note)] = drawn
    assert [(group.label, len(group.cells)) for group in groups][:3] == [
        ("label 11", 3),
        ("label 9", 2),
        ("label 0", 1),
    ]
    assert (len(groups), note) == (10, "Further labels: 2")


async def test_first_calls_at_the_same_time_make_one_preview(app, monkeypatch):
    sheets = iter([b"first", b"second"])
    monkeypatch.setattr(preview, "draw_sheet", lambda *_: next(sheets))
    await add_dataset(app, [Image(), Image("dog")])
    found = await asyncio.gather(*(app.previews.preview("admin", "j") for _ in range(8)))
    assert (set(found), next(sheets)) == ({b"first"}, b"second")


async def test_the_preview_that_another_instance_has_stored_first_is_answered(app, monkeypatch):
    await add_dataset(app, [Image()])
    other = memory_app()
    vars(other).update(blobs=app.blobs, entities=app.entities)
    sheets = iter([b"first", b"second"])
    monkeypatch.setattr(preview, "draw_sheet", lambda *_: next(sheets))
    found = await asyncio.gather(app.previews.preview("admin", "j"), other.previews.preview("admin", "j"))
    assert len(set(found)) == 1


async def test_a_call_whose_time_ends_leaves_images_for_the_next_one(app, monkeypatch):
    clock = ManualClock()
    vars(app).update(clock=clock)
    await add_dataset(app, [Image(form=form) for form in ("jpeg", "png", "webp", "gif")] * 4, chunk=100)
    small, made = app.image_files.small, []

    async def slow(image, width):
        made.append(image.id)
        clock.advance(2)
        return await small(image, width)

    monkeypatch.setattr(app.image_files, "small", slow)
    with pytest.raises(Unavailable):
        await app.previews.preview("admin", "j")
    assert len(made) < 16
    monkeypatch.setattr(app.image_files, "small", small)
    assert size_of(await app.previews.preview("admin", "j"))


async def test_broken_images_are_shown_by_their_colour(app):
    hostile = Image(changed=(("offset", 10**9), ("dominant_color", "#ff0000")))
    await add_dataset(app, [Image(), hostile])
    assert size_of(await app.previews.preview("admin", "j"))


async def test_a_preview_can_be_read_in_the_archive_tier_if_it_was_made_before(app):
    dataset = await add_dataset(app, [Image()])
    await app.blobs.set_tier(dataset.blobs[0], Tier.ARCHIVE)
    with pytest.raises(Conflict, match="rehydrate"):
        await app.previews.preview("admin", "j")
    await add_dataset(app, [Image()], dataset_id="k")
    made = await app.previews.preview("admin", "k")
    await app.blobs.set_tier("datasets/job_k/dataset.zip", Tier.ARCHIVE)
    assert await app.previews.preview("admin", "k") == made


async def test_a_dataset_without_images_has_no_preview(app):
    await add_dataset(app, [])
    with pytest.raises(NotFound):
        await app.previews.preview("admin", "j")
