"""Downloads that break off, resume, change on the way, or are not what they should be."""

import hashlib
import random
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from pixcrawler import AsyncClient, BadAnswer, BrokenDownload, Refused, Unreachable, WrongUse
from pixcrawler.downloads import partial
from pixcrawler.downloads import segments as segments_module
from pixcrawler.downloads.dataset import Progress
from pixcrawler.exchange import Account, checked_link
from tests.client.conftest import KEY, Answer, Asked, StoredFile, links

LINKS = "/api/v1/datasets/a1/download"
pytestmark = pytest.mark.usefixtures("stored")
CONTENT = random.Random(1).randbytes(100_000)


@pytest.fixture(autouse=True)
def _small_segments_and_no_waits(monkeypatch):
    monkeypatch.setattr(partial, "SEGMENT_BYTES", 10_000)
    monkeypatch.setattr(segments_module, "FIRST_WAIT_SECONDS", 0.001)


@pytest.fixture
def stored(app) -> StoredFile:
    """A dataset with one file."""
    file = StoredFile(CONTENT)
    app.on("/blob", file)
    app.on(LINKS, links(app, CONTENT))
    return file


def ranges(app) -> list[str]:
    return [asked.headers["range"] for asked in app.asked if asked.path == "/blob"]


def test_a_file_is_read_in_ranges_and_nothing_else_is_left(app, client, tmp_path):
    seen: list[Progress] = []
    [path] = client.download("a1", tmp_path / "new", connections=3, progress=seen.append)
    assert path == tmp_path / "new" / "pets.zip"
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    assert (seen[-1].stored_bytes, seen[-1].total_bytes) == (100_000, 100_000)
    assert sorted(ranges(app)) == sorted(
        f"bytes={start}-{start + 9999}" for start in range(0, 100_000, 10_000)
    )
    # the storage never gets the key
    assert all("x-api-key" not in asked.headers for asked in app.asked if asked.path == "/blob")


def test_a_range_that_breaks_off_goes_on_at_the_byte_where_it_broke(app, client, stored, tmp_path):
    stored.faults = [4_000, 0, 3]
    [path] = client.download("a1", tmp_path, connections=1)
    assert path.read_bytes() == CONTENT
    assert ranges(app)[:4] == ["bytes=0-9999", "bytes=4000-9999", "bytes=4000-9999", "bytes=4003-9999"]


def test_a_download_that_is_broken_off_twice_ends_right_and_reads_no_segment_again(
    app, client, stored, tmp_path
):
    working = app.answers["/blob"][0]
    served = 0

    def stops_after(count: int):
        def answer(asked: Asked) -> Answer:
            nonlocal served
            served += 1
            return working(asked) if served <= count else Answer(b"", 403)

        return answer

    for count in (3, 4):
        served = 0
        app.on("/blob", stops_after(count))
        with pytest.raises(BrokenDownload, match="Try again later"):
            client.download("a1", tmp_path, connections=1)
        assert not (tmp_path / "pets.zip").exists()
        assert (tmp_path / "pets.zip.part").exists()
    app.on("/blob", stored)
    before = len(ranges(app))
    [path] = client.download("a1", tmp_path, connections=1)
    assert path.read_bytes() == CONTENT
    assert [each.split("-")[0] for each in ranges(app)[before:]] == [
        "bytes=70000",
        "bytes=80000",
        "bytes=90000",
    ]
    assert list(tmp_path.iterdir()) == [path]


def test_an_expired_link_is_replaced_by_a_new_one(app, client, stored, tmp_path):
    app.on("/blob", Answer(b"", 403), stored)
    [path] = client.download("a1", tmp_path, connections=1)
    assert path.read_bytes() == CONTENT
    assert sum(asked.path == LINKS for asked in app.asked) == 2


def test_a_file_that_changes_on_the_way_is_read_from_the_start(app, client, stored, tmp_path):
    new = CONTENT[::-1]

    def change(asked: Asked) -> Answer:
        answer: Answer = stored(asked)
        if asked.headers["range"].startswith("bytes=30000"):
            stored.content, stored.etag = new, '"2"'
            app.on(LINKS, links(app, new))
        return answer

    app.on("/blob", change)
    [path] = client.download("a1", tmp_path, connections=1)
    assert path.read_bytes() == new


def test_stored_segments_of_another_file_are_not_used(app, client, stored, tmp_path):
    app.on("/blob", stored, stored, Answer(b"", 403))
    with pytest.raises(BrokenDownload):
        client.download("a1", tmp_path, connections=1)
    longer = CONTENT + b"more"
    stored.content, stored.etag = longer, '"2"'
    app.on("/blob", stored)
    app.on(LINKS, links(app, longer))
    assert client.download("a1", tmp_path)[0].read_bytes() == longer


def test_damaged_segments_are_found_by_the_checksum_and_read_again(app, client, stored, tmp_path):
    app.on("/blob", stored, stored, stored, Answer(b"", 403))
    with pytest.raises(BrokenDownload):
        client.download("a1", tmp_path, connections=1)
    with (tmp_path / "pets.zip.part").open("r+b") as file:
        file.write(b"damage")
    app.on("/blob", stored)
    assert client.download("a1", tmp_path)[0].read_bytes() == CONTENT


@pytest.mark.parametrize(
    "state", ["", "[]", "{", '{"done": [99], "etag": 1, "size_bytes": 100000}', '{"done": 1}']
)
def test_a_damaged_note_of_an_earlier_download_begins_again(client, tmp_path, state):
    (tmp_path / "pets.zip.part").write_bytes(bytes(100_000))
    (tmp_path / "pets.zip.part.json").write_text(state)
    assert client.download("a1", tmp_path)[0].read_bytes() == CONTENT


def test_a_file_with_another_checksum_is_never_given_its_name(app, client, tmp_path):
    app.on(LINKS, links(app, CONTENT, sha256="0" * 64))
    with pytest.raises(BrokenDownload, match="another checksum"):
        client.download("a1", tmp_path)
    assert not (tmp_path / "pets.zip").exists()


def test_a_large_file_is_checked_by_the_checksums_of_its_parts(app, client, tmp_path):
    parts = [hashlib.sha256(CONTENT[at : at + 60_000]).hexdigest() for at in (0, 60_000)]
    app.on(LINKS, links(app, CONTENT, sha256=None, part_bytes=60_000, parts_sha256=parts))
    assert client.download("a1", tmp_path)[0].read_bytes() == CONTENT
    app.on(LINKS, links(app, CONTENT, sha256=None, part_bytes=60_000, parts_sha256=parts[::-1]))
    with pytest.raises(WrongUse, match="another file"):
        client.download("a1", tmp_path)


def test_a_file_that_is_there_is_checked_and_not_read_again(app, client, tmp_path):
    client.download("a1", tmp_path)
    before = len(ranges(app))
    [path] = client.download("a1", tmp_path)
    assert len(ranges(app)) == before
    path.write_bytes(b"the user's own")
    with pytest.raises(WrongUse, match="another file"):
        client.download("a1", tmp_path)
    assert path.read_bytes() == b"the user's own"


def test_nothing_is_stored_in_a_folder_that_has_a_file_of_another_dataset(app, client, tmp_path):
    both = [links(app, CONTENT, filename=name).body for name in ("train-00001.tar", "README.md")]
    app.on(LINKS, Answer({**both[0], "files": [each["files"][0] for each in both]}))
    (tmp_path / "README.md").write_text("of another dataset")
    with pytest.raises(WrongUse, match=r"README\.md is another file"):
        client.download("a1", tmp_path)
    assert not (tmp_path / "train-00001.tar").exists()


@pytest.mark.parametrize(
    "name", ["../up.zip", "/etc/up.zip", "..\\up.zip", "a/b/../../../up.zip", "C:\\up.zip"]
)
def test_a_name_that_leaves_the_folder_stays_in_it(app, client, tmp_path, name):
    app.on(LINKS, links(app, CONTENT, filename=name))
    [path] = client.download("a1", tmp_path / "in")
    assert path.parent == tmp_path / "in"
    assert {each.name for each in tmp_path.iterdir()} == {"in"}


@pytest.mark.parametrize("name", ["", "..", ". .", "///..."])
def test_a_name_of_which_nothing_is_left_is_refused_or_made_safe(app, client, tmp_path, name):
    app.on(LINKS, links(app, CONTENT, filename=name))
    if re.sub(r"[. ]", "", name):
        assert client.download("a1", tmp_path)[0].parent == tmp_path
    else:
        with pytest.raises(BrokenDownload, match="no usable name"):
            client.download("a1", tmp_path)


@pytest.mark.parametrize("answer", [
    Answer(CONTENT, 200),
    Answer(CONTENT[:10], 206, {"Content-Range": "bytes 5-14/100000", "ETag": "1"}),
    Answer(CONTENT, 206, {"Content-Range": "bytes 0-9999/100000", "ETag": "1"}),
    Answer(CONTENT[:10], 206, {"ETag": "1"}),
    Answer(CONTENT[:10_000], 206, {"Content-Range": "bytes 0-9999/100000", "Content-Encoding": "gzip"}),
    Answer(b"", 302, {"Location": "/elsewhere"}),
])  # fmt: skip
def test_a_storage_that_answers_otherwise_than_asked_is_refused(app, client, tmp_path, answer):
    app.on("/blob", answer)
    with pytest.raises(BrokenDownload):
        client.download("a1", tmp_path, connections=1)


def test_a_storage_that_never_sends_a_byte_is_given_up(app, client, tmp_path):
    app.on("/blob", Answer(drop=True))
    with pytest.raises(Unreachable):
        client.download("a1", tmp_path, connections=1)
    app.on("/blob", Answer(b"", 503))
    with pytest.raises(Unreachable, match="503"):
        client.download("a1", tmp_path, connections=1)


@pytest.mark.parametrize("url", [
    "file:///etc/passwd", "http://[", "http://127.0.0.1/\x00", "http://127.0.0.1:99999/", "/blob", "http://a:b@127.0.0.1/",
])  # fmt: skip
def test_a_link_that_is_no_web_address_is_refused(app, client, tmp_path, url):
    app.on(LINKS, links(app, CONTENT, url=url))
    with pytest.raises(BadAnswer, match="no web address"):
        client.download("a1", tmp_path)


def test_a_link_without_encryption_is_refused_where_the_app_has_it():
    with pytest.raises(BadAnswer, match="without encryption"):
        checked_link("http://example.org/blob", Account("https://example.org", KEY))
    assert checked_link("https://example.org/blob", Account("https://example.org", KEY))


def test_a_storage_without_tags_is_read_too(app, client, stored, tmp_path):
    stored.etag = ""
    assert client.download("a1", tmp_path)[0].read_bytes() == CONTENT
    assert all("if-match" not in asked.headers for asked in app.asked)


def test_a_dataset_in_the_archive_tier_says_what_to_do(app, client, tmp_path):
    app.on(LINKS, links(app, CONTENT, url=None))
    with pytest.raises(BrokenDownload, match="pixcrawler rehydrate a1"):
        client.download("a1", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_does_not_fit_is_refused_before_it_is_read(app, client, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(BrokenDownload, match="10 free"):
        client.download("a1", tmp_path)
    assert ranges(app) == []


def test_a_folder_that_cannot_be_written_is_an_error_with_a_text(client, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BrokenDownload, match="cannot be written"):
        client.download("a1", tmp_path / "file" / "folder")
    with pytest.raises(WrongUse, match="connections"):
        client.download("a1", tmp_path, connections=0)
    with pytest.raises(Refused):
        client.download("absent", tmp_path)


async def test_the_asynchronous_client_downloads_too(app, tmp_path: Path):
    async with AsyncClient(app.url, KEY) as client:
        [path] = await client.download("a1", tmp_path)
    assert path.read_bytes() == CONTENT
