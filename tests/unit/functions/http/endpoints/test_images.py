"""Images over HTTP: pages of a dataset's images, and each image as it is stored or small."""

import io
from urllib.parse import parse_qs

import pytest
from PIL import Image as Pillow

from shared.storage.blobs import Tier
from tests.unit.functions.http.test_users import make_key, make_user
from tests.unit.images.stored_images import FILES, Image, add_dataset, add_job, add_preview, add_report

IMAGES = [
    Image("cat", "jpeg"),
    Image("dog", "png", split="val", license="cc0"),
    Image("cat", "webp", source="openverse"),
    Image("a&b +1", "gif"),
    Image("cat", "png"),
]


async def _all(caller, path, query):
    """Returns the images of all pages."""
    items = []
    for _ in range(20):
        page = await caller.get(path, query)
        assert page.status == 200, page.body
        items += page.body["items"]
        if page.body["next"] is None:
            return items
        next_path, _, query = page.body["next"].partition("?")
        assert next_path == f"/api/v1/{path}"
    raise AssertionError("the pages do not end")


async def test_all_images_are_listed_in_pages_and_nothing_else(app, caller):
    await add_dataset(app, IMAGES)
    for limit in (1, 2, 3, 100):
        items = await _all(caller, "datasets/j/images", f"limit={limit}")
        assert [item["label"] for item in items] == [image.label for image in IMAGES]
        assert len({item["n"] for item in items}) == len(IMAGES)
    assert items[1] == {
        "n": items[1]["n"],
        "index": 2,
        "label": "dog",
        "split": "val",
        "caption": None,
        "license": "cc0",
        "license_url": None,
        "title": None,
        "creator": "Ann",
        "creator_url": None,
        "attribution": None,
        "source": "urls",
        "url": "https://x.example/2",
        "page_url": None,
        "format": "png",
        "width": 320,
        "height": 240,
        "size_bytes": len(FILES["png"]),
        "scores": {"sharpness": 7.5, "brightness": 0.0, "contrast": 0.0, "entropy": 0.0}
        | {"aspect_ratio": 0.0, "bytes_per_pixel": 0.0, "relevance": None},
        "dominant_color": "#000000",
        "outlier": "",
        "links": {
            "image": f"/api/v1/datasets/j/images/{items[1]['n']}",
            "small": f"/api/v1/datasets/j/images/{items[1]['n']}?width=256",
        },
    }


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("label=cat", [0, 2, 4]),
        ("label=a%26b%20%2B1", [3]),
        ("split=val", [1]),
        ("license=cc0", [1]),
        ("source=openverse", [2]),
        ("label=cat&source=urls", [0, 4]),
        ("label=none", []),
    ],
)
async def test_pages_have_only_the_images_that_are_wanted(app, caller, query, places):
    await add_dataset(app, IMAGES)
    for limit in (1, 100):
        items = await _all(caller, "datasets/j/images", f"{query}&limit={limit}")
        assert [item["index"] for item in items] == [2 * place for place in places]


async def test_every_image_is_answered_as_it_is_stored(app, caller):
    await add_dataset(app, IMAGES)
    items = await _all(caller, "datasets/j/images", "")
    for item, image in zip(items, IMAGES, strict=True):
        answer = await caller.get(f"datasets/j/images/{item['n']}")
        assert (answer.status, answer.data) == (200, image.bytes)
        assert answer.media_type == f"image/{image.form}"
        name = f"{item['index']:08}.{image.form}"
        assert answer.headers["Content-Disposition"] == f'inline; filename="{name}"'
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        again = await caller.get(f"datasets/j/images/{item['n']}", If_None_Match=answer.headers["ETag"])
        assert (again.status, again.data) == (304, b"")


async def test_images_in_shards_are_answered_like_those_in_a_zip(app, caller):
    await add_dataset(app, IMAGES, file="shards/00001.tar")
    for item, image in zip(await _all(caller, "datasets/j/images", ""), IMAGES, strict=True):
        assert (await caller.get(f"datasets/j/images/{item['n']}")).data == image.bytes


@pytest.mark.parametrize("width", [64, 128, 256, 512, 1024])
async def test_a_small_image_fits_into_its_width_and_is_never_larger_than_the_image(app, caller, width):
    await add_dataset(app, IMAGES)
    for item, _ in zip(await _all(caller, "datasets/j/images", ""), IMAGES, strict=True):
        answer = await caller.get(f"datasets/j/images/{item['n']}", f"width={width}")
        assert (answer.status, answer.media_type) == (200, "image/jpeg")
        with Pillow.open(io.BytesIO(answer.data), formats=["JPEG"]) as opened:
            assert opened.size == ((320, 240) if width >= 320 else (width, width * 3 // 4))
        tag = answer.headers["ETag"]
        again = await caller.get(f"datasets/j/images/{item['n']}", f"width={width}", If_None_Match=tag)
        assert again.status == 304


async def test_images_in_the_archive_tier_are_a_conflict_but_small_ones_that_were_made_can_be_read(
    app, caller
):
    dataset = await add_dataset(app, IMAGES)
    first, second, *_ = await _all(caller, "datasets/j/images", "")
    path = f"datasets/j/images/{first['n']}"
    small = await caller.get(path, "width=64")
    await app.blobs.set_tier(dataset.blobs[0], Tier.ARCHIVE)
    assert await _all(caller, "datasets/j/images", "")
    again = await caller.get(path, "width=64")
    assert (again.status, again.data) == (200, small.data)
    for unread in (
        await caller.get(path),
        await caller.get(path, "width=128"),
        await caller.get(f"datasets/j/images/{second['n']}", "width=64"),
    ):
        assert unread.status == 409
        assert "POST /api/v1/datasets/j/rehydrate" in unread.body["detail"]


@pytest.mark.parametrize(
    "name",
    [
        *("x", "0", "r1-0-1", "r1-0-9", "r1-5-0", "r1-999999-0", "r2-0-0", "r1-0-0x", "c000001-0", "r1-0--1"),
        *("r0-0-0", "r1-00000000000000000-0", "\u0661", "%00", "..", "r1-0-0\n", "r" * 5000),
    ],
)
async def test_a_made_up_id_is_not_found(app, caller, name):
    await add_dataset(app, IMAGES)
    assert (await caller.get("datasets/j/images/r1-0-0")).status == 200
    for query in ("", "width=64"):
        assert (await caller.get(f"datasets/j/images/{name}", query)).status == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("label=", "label"),
        (f"label={'x' * 201}", "label"),
        ("split=all", "split"),
        ("license=", "license"),
        ("cursor=x", "cursor"),
        # the place of a chunk
        ("cursor=YzowMDAwMDE6MA", "cursor"),
    ],
)
async def test_a_wrong_value_is_named(app, caller, query, field):
    await add_dataset(app, IMAGES)
    answered = await caller.get("datasets/j/images", query)
    assert (answered.status, [name for name, _ in answered.errors]) == (400, [field])


@pytest.mark.parametrize("width", ["", "0", "65", "2048", "64,64", "-64", "064"])
async def test_no_other_width_is_made(app, caller, width):
    await add_dataset(app, IMAGES)
    assert (await caller.get("datasets/j/images/r1-0-0", f"width={width}")).status == 400


async def test_another_user_finds_neither_the_images_nor_the_preview(app, caller):
    await add_report(app, dataset := await add_dataset(app, IMAGES))
    await add_preview(app, dataset)
    job_id = await add_job(app, [IMAGES])
    user = await make_user(caller)
    _, other = await make_key(caller, user, "read")
    job_images = (await caller.get(f"jobs/{job_id}/images")).body["items"]
    for path in (
        "datasets/j/images",
        "datasets/j/images/r1-0-0",
        "datasets/j/preview",
        "datasets/j/report",
        f"jobs/{job_id}/images",
        f"jobs/{job_id}/images/{job_images[0]['n']}",
    ):
        assert (await caller.get(path)).status == 200
        assert (await other.get(path)).status == 404


async def test_looking_at_images_is_no_use_of_the_product(app, caller):
    await add_preview(app, await add_dataset(app, IMAGES))
    for path in ("datasets/j/images", "datasets/j/images/r1-0-0", "datasets/j/preview"):
        assert (await caller.get(path)).status == 200
    dataset = await app.catalog.require("admin", "j")
    assert dataset.keeping.last_download_at is None
    assert await app.entities.get("activity", "~days", "") is None


async def test_the_newest_images_of_a_running_job_come_first(app, caller):
    job_id = await add_job(app, [IMAGES[:2], IMAGES[2:3], IMAGES[3:]])
    for limit in (1, 2, 100):
        items = await _all(caller, f"jobs/{job_id}/images", f"limit={limit}")
        assert [item["index"] for item in items] == [301, 300, 200, 101, 100]
    for item, image in zip(items, IMAGES[::-1], strict=True):
        assert (item["label"], item["split"]) == (image.label, None)
        answer = await caller.get(f"jobs/{job_id}/images/{item['n']}")
        assert (answer.status, answer.data) == (200, image.bytes)
        small = await caller.get(f"jobs/{job_id}/images/{item['n']}", "width=64")
        assert small.media_type == "image/jpeg"
    assert [item["index"] for item in await _all(caller, f"jobs/{job_id}/images", "label=cat&limit=1")] == [
        301,
        200,
        100,
    ]


async def test_the_preview_is_a_jpeg_that_changes_with_the_revision_only(app, caller):
    await add_preview(app, await add_dataset(app, IMAGES))
    answer = await caller.get("datasets/j/preview")
    assert (answer.status, answer.media_type) == (200, "image/jpeg")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    tag = answer.headers["ETag"]
    assert (await caller.get("datasets/j/preview", If_None_Match=tag)).status == 304
    await add_preview(app, await add_dataset(app, IMAGES[:1], revision=2))
    changed = await caller.get("datasets/j/preview", If_None_Match=tag)
    assert (changed.status, changed.headers["ETag"] != tag) == (200, True)


async def test_a_dataset_none_of_whose_images_can_be_shown_has_no_preview(app, caller):
    await add_dataset(app, IMAGES)
    assert (await caller.get("datasets/j/preview")).status == 404


async def test_the_preview_can_be_read_in_the_archive_tier(app, caller):
    dataset = await add_dataset(app, IMAGES)
    await add_preview(app, dataset)
    await app.blobs.set_tier(dataset.blobs[0], Tier.ARCHIVE)
    assert (await caller.get("datasets/j/preview")).status == 200


async def test_a_page_of_an_earlier_revision_is_a_conflict(app, caller):
    await add_dataset(app, IMAGES)
    page = await caller.get("datasets/j/images", "limit=1")
    await add_dataset(app, IMAGES, revision=2)
    query = page.body["next"].partition("?")[2]
    assert parse_qs(query)["limit"] == ["1"]
    assert (await caller.get("datasets/j/images", query)).status == 409
    assert (await caller.get("datasets/j/images/r1-0-0")).status == 404


async def test_calls_for_images_are_limited_on_their_own_and_leave_the_other_calls(app, caller):
    await add_dataset(app, IMAGES)
    _, ann = await make_key(caller, await make_user(caller, tier="free"), "read")
    for path in ("datasets/j/images/r1-0-0", "datasets/j/preview", "jobs/j/images/c000001-0"):
        answer = await ann.get(path)
        assert (answer.status, answer.headers["RateLimit-Policy"]) == (404, '"user";q=600;w=60')
    answer = await ann.get("datasets/j/images")
    assert answer.headers["RateLimit-Policy"] == '"user";q=60;w=60'
    assert answer.headers["RateLimit"].startswith('"user";r=59;')
    for _ in range(600 - 3):
        answer = await ann.get("jobs/j/images/c000001-0")
    assert answer.status == 404
    assert (await ann.get("jobs/j/images/c000001-0")).status == 429
    assert (await ann.get("datasets/j/images")).status == 404


async def test_a_page_of_images_reads_each_part_of_the_records_once(app, caller, monkeypatch):
    await add_dataset(app, IMAGES, chunk=100)
    items = await _all(caller, "datasets/j/images", "")
    get, reads = app.blobs.get, []

    async def counted(name, **options):
        reads.append(name.rpartition("/")[2])
        return await get(name, **options)

    monkeypatch.setattr(app.blobs, "get", counted)
    for item in items:
        assert (await caller.get(f"datasets/j/images/{item['n']}")).status == 200
    assert sorted(reads) == ["dataset.zip"] * len(items) + ["records.jsonl.gz"]


async def test_the_images_are_linked_where_they_can_be_read(app, caller):
    await add_preview(app, await add_dataset(app, IMAGES))
    job_id = await add_job(app, [IMAGES])
    links = (await caller.get("datasets/j")).body["links"]
    job_links = (await caller.get(f"jobs/{job_id}")).body["links"]
    for link in (links["images"], links["preview"], job_links["images"]):
        assert (await caller.get(link.removeprefix("/api/v1/"))).status == 200
