"""Datasets whose images are read by ranges while they are used."""

import gzip
import json
import pickle

import pytest

from pixcrawler import BrokenDownload, NotConfigured, WrongUse, load_dataset
from tests.client.conftest import KEY, Answer, StoredFile
from tests.client.streaming.served import COUNT, LINKS, make, names, records_of, serve


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


def test_images_are_read_from_each_of_several_shards(app, client):
    content, lines = make(COUNT, 200)
    shards = {f"pets-train-{number:06}.tar": content for number in range(3)}
    kept = [line for line in lines if line["outcome"] == "kept"]
    for number, line in enumerate(kept):
        line["blob"] = f"r2/{list(shards)[number % 3]}"
    serve(app, content, records_of(kept))
    answer = app.answers[LINKS][0]
    [file] = answer.body["files"]
    answer.body["files"] = [{**file, "filename": name, "url": f"{app.url}/{name}"} for name in shards]
    answer.body["files"].append({**file, "filename": "README.md", "url": f"{app.url}/README.md"})
    for name, data in shards.items():
        app.on(f"/{name}", StoredFile(data))
    found = names(client.load_dataset("a1"))
    assert sorted(found) == sorted(f"{number}.jpg" for number in range(COUNT))
    assert {asked.path for asked in app.asked if ".tar" in asked.path} == {f"/{name}" for name in shards}
    answer.body["files"].pop(0)
    with pytest.raises(BrokenDownload, match="changed"):
        list(client.load_dataset("a1"))


def test_breaks_and_expired_links_are_overcome(app, client, stored):
    dataset = client.load_dataset("a1")
    stored.faults = [0, 500, 3]
    app.on("/blob", stored, Answer(b"", 403), Answer(b"", 503, {"Retry-After": "0"}), stored)
    assert len(names(dataset)) == COUNT


def test_a_dataset_that_has_changed_is_reported(app, client, stored):
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
