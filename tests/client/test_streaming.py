"""Datasets whose images are read by ranges while they are used."""

import gzip
import hashlib
import json
import pickle
import random
import subprocess
import sys

import pytest

from pixcrawler import BrokenDownload, NotConfigured, WrongUse, load_dataset
from pixcrawler.downloads import segments
from pixcrawler.streaming import blocks
from tests.client.conftest import KEY, Answer, StoredFile

LINKS = "/api/v1/datasets/a1/download"
COUNT = 300


@pytest.fixture(autouse=True)
def _small_blocks_and_no_waits(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2_000)
    monkeypatch.setattr(segments, "FIRST_WAIT_SECONDS", 0.001)


def make(count: int, size: int):
    """The bytes of a dataset's file, and its records."""
    generator, content, lines = random.Random(1), bytearray(b"PK"), []
    for index in range(count):
        data = generator.randbytes(generator.randrange(1, size))
        lines.append({
            "index": index, "outcome": "kept", "label": "cat" if index % 3 else "dog",
            "split": "train" if index % 5 else "val",
            "file": f"{index}.jpg", "caption": f"picture {index}", "license": "by", "blob": "dataset.zip",
            "offset": len(content), "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
        })  # fmt: skip
        content += data + b"-" * 30
        lines.append({"index": index, "outcome": "rejected", "label": "cat", "reason": "too_small"})
    return bytes(content), lines


def records_of(lines) -> bytes:
    """The records in two members, as the app writes them."""
    half = len(lines) // 2
    texts = ("".join(json.dumps(line) + "\n" for line in part) for part in (lines[:half], lines[half:]))
    return b"".join(gzip.compress(text.encode()) for text in texts)


def serve(app, content: bytes, records: bytes) -> StoredFile:
    file = StoredFile(content)
    app.on("/blob", file)
    app.on("/records", StoredFile(records))
    entry = {
        "filename": "pets.zip",
        "size_bytes": len(content),
        "sha256": None,
        "part_bytes": None,
        "parts_sha256": [],
    }
    app.on(LINKS, Answer({
        "expires_at": "2026-01-01T01:00:00Z", "notice": None, "files": [{"url": f"{app.url}/blob", **entry}],
        "records": {"url": f"{app.url}/records", "filename": "records.jsonl.gz", "size_bytes": len(records)},
    }))  # fmt: skip
    return file


@pytest.fixture
def stored(app) -> StoredFile:
    content, lines = make(COUNT, 200)
    return serve(app, content, records_of(lines))


def names(images) -> list[str]:
    return [image.file for image in images]


def test_all_images_come_in_their_order_with_few_requests(app, client, stored):
    dataset = client.load_dataset("a1")
    images = list(dataset)
    assert names(images) == [f"{number}.jpg" for number in range(COUNT)]
    assert len(dataset) == COUNT
    assert images[1].data in stored.content
    one = images[1]
    assert (one.label, one.split, one.caption, one.license) == ("cat", "train", "picture 1", "by")
    requests = [asked for asked in app.asked if asked.path == "/blob"]
    assert len(requests) < COUNT / 10
    assert all("x-api-key" not in asked.headers for asked in requests)


@pytest.mark.usefixtures("stored")
def test_splits_and_labels_are_chosen(client):
    assert len(client.load_dataset("a1", split="val", label="dog")) == COUNT / 15
    assert list(client.load_dataset("a1", label="bird")) == []


@pytest.mark.usefixtures("stored")
def test_a_shuffled_order_follows_from_the_seed_and_changes_with_each_iteration(client):
    one, two = client.load_dataset("a1", shuffle_seed=1), client.load_dataset("a1", shuffle_seed=1)
    first, second = names(one), names(one)
    assert first != second
    assert sorted(first) == sorted(second) == sorted(f"{number}.jpg" for number in range(COUNT))
    assert [names(two), names(two)] == [first, second]
    # the first images come from all over the file
    assert max(int(name[:-4]) for name in first[:50]) > COUNT / 2


@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("stop", [0, 1, 120, COUNT - 1])
@pytest.mark.usefixtures("stored")
def test_an_iteration_goes_on_in_another_process_where_it_was(client, seed, stop):
    whole = names(client.load_dataset("a1", shuffle_seed=seed))
    left = client.load_dataset("a1", shuffle_seed=seed)
    begun = [image.file for image, _ in zip(left, range(stop), strict=False)] if stop else []
    state = json.loads(json.dumps(left.state_dict()))
    resumed = client.load_dataset("a1", shuffle_seed=seed)
    resumed.load_state_dict(state)
    # zip takes one image more than it returns
    assert begun + whole[stop : state["position"]] + names(resumed) == whole
    with pytest.raises(WrongUse):
        client.load_dataset("a1", shuffle_seed=99).load_state_dict(state)


@pytest.mark.usefixtures("stored")
def test_a_dataset_is_found_with_the_login_and_can_be_sent_to_another_process(app, monkeypatch, tmp_path):
    monkeypatch.setenv("PIXCRAWLER_CONFIG", str(tmp_path / "login.json"))
    with pytest.raises(NotConfigured):
        load_dataset("a1")
    monkeypatch.setenv("PIXCRAWLER_URL", app.url)
    monkeypatch.setenv("PIXCRAWLER_API_KEY", KEY)
    dataset = load_dataset("a1", shuffle_seed=2)
    next(iter(dataset))
    copy = pickle.loads(pickle.dumps(dataset))  # noqa: S301 - our own bytes
    assert names(copy) == names(dataset)
    assert len(names(copy)) == COUNT


@pytest.mark.usefixtures("stored")
def test_parts_together_have_all_images(client):
    dataset = client.load_dataset("a1", shuffle_seed=3)
    found = [name for index in range(3) for name in names(dataset.part(index, 3))]
    assert sorted(found) == sorted(names(dataset))
    with pytest.raises(WrongUse):
        dataset.part(3, 3)


def test_breaks_and_expired_links_are_overcome(app, client, stored):
    dataset = client.load_dataset("a1")
    stored.faults = [0, 500, 3]
    app.on("/blob", stored, Answer(b"", 403), Answer(b"", 503, {"Retry-After": "0"}), stored)
    assert len(names(dataset)) == COUNT


def test_a_dataset_that_has_changed_is_said(app, client, stored):
    dataset = client.load_dataset("a1")
    next(iter(dataset))
    stored.etag = '"2"'
    with pytest.raises(BrokenDownload, match="changed"):
        list(dataset)
    app.on("/blob", StoredFile(bytes(len(stored.content))))
    with pytest.raises(BrokenDownload, match="another checksum"):
        list(client.load_dataset("a1"))
    app.on("/blob", Answer(b"", 403))
    with pytest.raises(BrokenDownload, match="links"):
        list(client.load_dataset("a1"))


@pytest.mark.parametrize("records", [
    b"no gzip", gzip.compress(b"{}\n")[:-3], gzip.compress(b"[]\n"), gzip.compress(b"x" * 5_000_000),
    gzip.compress(b'{"outcome": "kept", "label": "a"}'),
    gzip.compress(json.dumps({"outcome": "kept", "label": "a", "blob": "b", "offset": -1, "size_bytes": 1}).encode()),
])  # fmt: skip
def test_damaged_records_are_refused(app, client, records):
    serve(app, b"content", records)
    with pytest.raises(BrokenDownload, match=r"[Rr]ecord"):
        client.load_dataset("a1")


def test_a_record_beyond_the_end_of_its_file_is_refused_before_it_is_read(app, client):
    line = {
        "outcome": "kept",
        "label": "a",
        "blob": "b",
        "offset": 10**12,
        "size_bytes": 9,
        "sha256": "0" * 64,
    }
    serve(app, b"content", gzip.compress(json.dumps(line).encode()))
    with pytest.raises(BrokenDownload, match="changed"):
        list(client.load_dataset("a1"))


_MEASURE = """
import sys
from pathlib import Path
from pixcrawler import Client
with Client(sys.argv[1], sys.argv[2]) as client:
    count = sum(1 for image in client.load_dataset("a1", shuffle_seed=1) if image.data)
# the largest resident size; that of getrusage counts that of the parent, too
status = Path("/proc/self/status").read_text()
print(count, status.partition("VmHWM:")[2].split()[0])
"""


def test_five_thousand_images_are_read_in_less_than_200_mb(app):
    content, lines = make(5_000, 100_000)
    serve(app, content, records_of(lines))
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", _MEASURE, app.url, KEY],
        check=True, capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    count, kilobytes = map(int, done.stdout.split())
    assert count == 5_000
    assert kilobytes < 200_000, kilobytes
    print(len(content), kilobytes)  # noqa: T201
