"""Whole jobs that drop or blur faces, and that leave out what is not safe for work."""

import hashlib
import io
import zipfile

import pyarrow.parquet
import pytest

from shared.errors import InvalidRequest
from shared.jobs.job.states import State
from shared.jobs.submission.refresh import WantedRefresh
from shared.scoring.model_names import ModelNames
from shared.users.caller import UNMARKED
from tests.expect import present
from tests.unit.crawling.judging.model_checks.judged import animated, detector, image_of, pixels_of, saved
from tests.unit.jobs.models.conftest import Jobs, annotations, configure
from tests.unit.scoring.faces.yunet import scene


def portrait(number: int = 0, form: str = "PNG") -> bytes:
    return saved(image_of(scene(640, 640, (64 * number, 128, 64))), form)


def landscape(number: int = 0) -> bytes:
    return saved(image_of(scene(640, 512 + number)), "PNG")


async def test_images_with_faces_are_dropped_and_the_others_have_a_column_that_says_none(jobs: Jobs) -> None:
    jobs.files |= {"one": portrait(1), "two": portrait(2, "JPEG"), "none": landscape()}
    job = await jobs.run(filters={"faces": "drop"})
    lines = await jobs.lines(job)
    assert await jobs.outcomes(job) == {
        "one": "face_filtered",
        "two": "face_filtered",
        "none": "kept",
    }
    assert lines["one"]["detail"] == "1 face"
    rows, cells = annotations(await jobs.archive(job))
    assert (rows["none"]["faces"], cells["none"]["faces"]) == (0, "0")
    assert "nsfw" not in rows["none"]


async def test_faces_are_blurred_and_the_dataset_says_so(jobs: Jobs) -> None:
    moving = animated("GIF", (), ((64, 64, 64),))
    jobs.files |= {"one": portrait(1), "photo": portrait(2, "JPEG"), "none": landscape(), "moving": moving}
    jobs.files |= {"nd": portrait(3), "nd-none": landscape(1)}
    jobs.licenses |= {"nd": "by-nd", "nd-none": "by-nc-nd"}
    job = await jobs.run(filters={"faces": "blur"})
    lines, archive = await jobs.lines(job), await jobs.archive(job)
    assert await jobs.outcomes(job) == dict.fromkeys(jobs.files, "kept") | {"nd": "license_filtered"}
    assert lines["nd"]["detail"] == "by-nd does not allow that its faces are blurred"
    rows, cells = annotations(archive)
    assert {name: row["faces"] for name, row in rows.items()} == {
        "one": 1,
        "photo": 1,
        "none": 0,
        "moving": 1,
        "nd-none": 0,
    }
    assert cells["one"]["faces"] == "1"
    for name, row in rows.items():
        [path] = [path for path in archive.namelist() if path.endswith(row["file_name"])]
        data = archive.read(path)
        assert hashlib.sha256(data).hexdigest() == row["sha256"] == lines[name]["sha256"]
        assert detector().find(pixels_of(data)) == ()
        assert (data == jobs.files[name]) == (row["faces"] == 0)
    card, attribution = (archive.read(name).decode() for name in ("README.md", "ATTRIBUTION.md"))
    for text in (card, attribution):
        assert "Faces that a model found were blurred." in text
        assert "All others are as they were found." in text
    # no image of these licences was changed
    assert "do not allow adapted versions" not in card


async def test_keep_looks_at_nothing_and_needs_no_model(jobs: Jobs) -> None:
    configure(jobs.flow, ModelNames())
    jobs.files["one"] = portrait()
    job = await jobs.run()
    rows, _ = annotations(await jobs.archive(job))
    assert rows.keys() == {"one"}
    assert "faces" not in rows["one"]
    assert (await jobs.lines(job))["one"]["sha256"] == hashlib.sha256(portrait()).hexdigest()


async def test_what_is_not_safe_for_work_is_left_out(jobs: Jobs) -> None:
    red = image_of(scene(640, 500))
    red.paste((250, 10, 10), (0, 0, 640, 400))
    jobs.files |= {"red": saved(red, "PNG"), "grey": landscape()}
    job = await jobs.run(filters={"nsfw_max": 0.6})
    assert await jobs.outcomes(job) == {
        "red": "nsfw_filtered",
        "grey": "kept",
    }
    rows, _ = annotations(await jobs.archive(job))
    assert rows["grey"]["nsfw"] == pytest.approx(0.5, abs=0.1)
    assert "faces" not in rows["grey"]


@pytest.mark.parametrize(
    ("filters", "field", "setting"),
    [
        ({"faces": "drop"}, "filters.faces", "FACES_MODEL"),
        ({"faces": "blur"}, "filters.faces", "FACES_MODEL"),
        ({"nsfw_max": 1.0}, "filters.nsfw_max", "NSFW_MODEL"),
    ],
)
async def test_a_spec_that_needs_a_model_is_refused_if_the_app_has_none(
    jobs: Jobs, filters: dict[str, object], field: str, setting: str
) -> None:
    configure(jobs.flow, ModelNames())
    jobs.files["one"] = portrait()
    with pytest.raises(InvalidRequest) as refused:
        await jobs.flow.send(jobs.spec(filters=filters))
    [wrong] = refused.value.fields
    assert (wrong.field, setting in wrong.message) == (field, True)


@pytest.mark.parametrize(
    ("content", "text"),
    [(None, "has no file"), (b"a page", "is not a YuNet model"), (b"\x08\x07" * 500, "is not a YuNet model")],
)
async def test_a_job_whose_model_does_not_work_fails_and_says_which(
    jobs: Jobs, content: bytes | None, text: str
) -> None:
    blob = "models/tiny-yunet/model.onnx"
    await jobs.flow.blobs.delete(blob)
    if content is not None:
        await jobs.flow.blobs.put(blob, content)
    jobs.files["one"] = portrait()
    job = await jobs.run(filters={"faces": "drop"})
    failure = present(job.failure)
    assert (job.state, failure.code) == (State.FAILED, "model_failed")
    assert text in failure.detail
    assert "tiny-yunet" in failure.detail


async def test_a_refresh_keeps_blurred_images_and_what_was_found_in_them(jobs: Jobs) -> None:
    jobs.files |= {"one": portrait(1), "none": landscape()}
    job = await jobs.run(filters={"faces": "blur"})
    before = await jobs.lines(job)
    await jobs.flow.refresh.run("admin", job.id, WantedRefresh(UNMARKED))
    await jobs.flow.run()
    after = await jobs.lines(await jobs.flow.job(job))
    assert {name: (row["sha256"], row["faces"]) for name, row in after.items()} == {
        name: (row["sha256"], row["faces"]) for name, row in before.items()
    }


async def test_images_of_an_earlier_dataset_are_looked_at(jobs: Jobs) -> None:
    jobs.files |= {"one": portrait(1), "none": landscape()}
    first = await jobs.run()
    source = [{"type": "dataset", "id": first.id}]
    dropped = await jobs.run(sources=source, filters={"faces": "drop"})
    assert await jobs.outcomes(dropped) == {
        "one": "face_filtered",
        "none": "kept",
    }
    blurred = await jobs.run(sources=source, filters={"faces": "blur"})
    assert (await jobs.lines(blurred))["one"]["faces"] == 1


async def test_the_tables_of_each_format_have_the_numbers_with_their_types(jobs: Jobs) -> None:
    jobs.files |= {"none": landscape(), "other": landscape(1)}
    for form in ("zip", "webdataset", "parquet"):
        job = await jobs.run(filters={"faces": "drop", "nsfw_max": 1.0}, output={"format": form})
        dataset = await jobs.flow.catalog.require("admin", job.id)
        [name] = [name for name in dataset.blobs if name.endswith((".zip", ".parquet"))]
        data = await jobs.flow.blobs.get(name)
        if form == "zip":
            archive = zipfile.ZipFile(io.BytesIO(data))
            data = archive.read(next(name for name in archive.namelist() if name.endswith(".parquet")))
        table = pyarrow.parquet.read_table(io.BytesIO(data))
        assert (table.schema.field("faces").type, table.schema.field("nsfw").type) == (
            pyarrow.int64(),
            pyarrow.float64(),
        ), form
        assert table["faces"].to_pylist() == [0, 0]
