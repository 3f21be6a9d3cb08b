"""Images of a dataset that are listed, and stored one by one."""

import json

import pytest

from pixcrawler import BrokenDownload, WrongUse
from pixcrawler.downloads.images import save_images
from tests.client.conftest import HOSTILE, UNSAFE, Answer, problem

LIST = "/api/v1/datasets/a1/images"


def entry(index: int, **changes: object) -> dict[str, object]:
    return {
        "n": f"r1-{index}", "index": index, "label": "cat", "split": "train", "license": "by", "source": "openverse",
        "format": "png", "width": 640, "height": 480, "size_bytes": 2_000, **changes,
    }  # fmt: skip


def page(*entries: dict[str, object], following: str | None = None) -> Answer:
    return Answer({"items": list(entries), "next": following})


def picture(content: bytes) -> Answer:
    return Answer(content, headers={"Content-Type": "image/png"})


@pytest.fixture
def served(app):
    app.on(LIST, page(entry(0), entry(1, label="dog")))
    for index in range(2):
        app.on(f"{LIST}/r1-{index}", picture(b"image %d" % index))
    return app


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_images_are_listed_by_what_the_api_filters(served, run):
    out = run(
        "images", "a1", "--label", "cat", "--split", "train", "--license", "by", "--source", "openverse",
        "--sort", "sharpest", "--limit", "1",
    ).output  # fmt: skip
    assert out.splitlines() == [
        "n\tlabel\tsplit\tlicense\tsource\tpixels\tsize",
        "r1-0\tcat\ttrain\tby\topenverse\t640x480\t2.0 kB",
    ]
    query = "limit=100&label=cat&split=train&license=by&source=openverse&sort=sharpest"
    assert served.asked[0].path == f"{LIST}?{query}"
    assert [each["label"] for each in json.loads(run("images", "a1", "--json").output)] == ["cat", "dog"]


def test_images_of_a_running_job_are_listed_and_stored(app, run, tmp_path):
    app.on("/api/v1/jobs/a1/images", page(entry(7, split=None)))
    app.on("/api/v1/jobs/a1/images/r1-7", picture(b"image"))
    assert "r1-7\tcat\t-\tby" in run("images", "a1", "--job").output
    run("images", "a1", "--job", "--save", str(tmp_path))
    assert files(tmp_path) == ["cat/00000007.png"]


def test_an_order_that_the_app_still_makes_is_waited_for(app, client, waits):
    first = page(following=f"{LIST}?limit=100&sort=largest&cursor=x")
    first.headers["Retry-After"] = "2"
    app.on(LIST, first, page(entry(3)))
    assert [image.index for image in client.images("a1", sort="largest")] == [3]
    assert waits == [2]


@pytest.mark.usefixtures("served")
def test_images_are_stored_by_label(run, tmp_path):
    out = run("images", "a1", "--save", str(tmp_path)).output
    assert out.split() == [str(tmp_path / name) for name in ("cat/00000000.png", "dog/00000001.png")]
    assert (tmp_path / "dog" / "00000001.png").read_bytes() == b"image 1"
    # again: what is there stays, and another file of the same name is never replaced
    run("images", "a1", "--save", str(tmp_path))
    (tmp_path / "cat" / "00000000.png").write_bytes(b"mine")
    assert "another file" in run("images", "a1", "--save", str(tmp_path), code=2).output
    assert (tmp_path / "cat" / "00000000.png").read_bytes() == b"mine"
    assert files(tmp_path) == ["cat/00000000.png", "dog/00000001.png"]


def test_small_images_are_jpegs(served, run, tmp_path):
    out = json.loads(run("images", "a1", "--save", str(tmp_path), "--width", "256", "--json").output)
    assert out == {
        "files": [str(tmp_path / "cat/00000000.jpeg"), str(tmp_path / "dog/00000001.jpeg")],
        "missing": 0,
    }
    assert all(asked.path.endswith("?width=256") for asked in served.asked[1:])
    assert "one of 64" in run("images", "a1", "--save", str(tmp_path), "--width", "100", code=2).output


def test_an_image_that_the_app_cannot_show_does_not_stop_the_others(served, run, tmp_path):
    served.on(f"{LIST}/r1-0", problem(409, "conflict", "The image is too large."))
    assert "r1-0: The image is too large." in run("images", "a1", "--save", str(tmp_path), code=3).output
    assert files(tmp_path) == ["dog/00000001.png"]
    served.on(f"{LIST}/r1-0", problem(404, "not_found", "There is no such image."))
    run("images", "a1", "--save", str(tmp_path), code=3)


@pytest.mark.parametrize(
    "label", ["../../up", "/etc", "..", "...", "", "a/b", "C:\\x", "nul", "\x00", HOSTILE, "x" * 999]
)
def test_a_hostile_label_stays_within_the_folder(app, run, tmp_path, label):
    app.on(LIST, page(entry(0, label=label)))
    app.on(f"{LIST}/r1-0", picture(b"image"))
    out = run("images", "a1", "--save", str(tmp_path / "in")).output
    assert not UNSAFE & set(out)
    [stored] = files(tmp_path / "in")
    assert stored.endswith("/00000000.png")
    assert [each.name for each in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("changes", [{"format": "../x"}, {"format": "a/b"}, {"format": ""}, {"format": "P"}])
def test_a_hostile_format_is_refused(app, client, tmp_path, changes):
    app.on(LIST, page(entry(0, **changes)))
    app.on(f"{LIST}/r1-0", picture(b"image"))
    with pytest.raises(BrokenDownload, match="no format"):
        list(save_images(client, "a1", list(client.images("a1")), tmp_path))
    assert files(tmp_path) == []


@pytest.mark.parametrize("n", ["../../users/me", "a?b", "a#b"])
def test_a_hostile_id_of_an_image_calls_nothing_else(app, client, tmp_path, n):
    app.on(LIST, page(entry(0, n=n)))
    images = list(client.images("a1"))
    with pytest.raises(Exception, match="no such thing"):
        list(save_images(client, "a1", images, tmp_path))
    assert app.asked[-1].path.startswith(f"{LIST}/")
    assert "/" not in app.asked[-1].path.removeprefix(f"{LIST}/")
    assert "?" not in app.asked[-1].path


@pytest.mark.usefixtures("served")
def test_a_folder_that_cannot_be_written_is_an_error_with_a_text(client, tmp_path):
    (tmp_path / "cat").write_text("")
    images = list(client.images("a1"))
    with pytest.raises(BrokenDownload, match="cannot be written"):
        list(save_images(client, "a1", images, tmp_path))
    with pytest.raises(WrongUse):
        list(save_images(client, "a1", images, tmp_path, width=1))
