"""A streamed dataset in the library `datasets` of Hugging Face."""

import hashlib
import io
import json

import datasets
import pytest
from PIL import Image

from tests.client.streaming.served import COUNT, make, records_of, serve

EVERY_NAME = [f"{number}.jpg" for number in range(COUNT)]


@pytest.fixture
def dataset(client, stored):
    assert stored.content
    found = client.load_dataset("a1", buffer_blocks=2).as_hugging_face()
    # the contents of the small app are no images
    return found.cast_column("image", datasets.Image(decode=False))


def files(rows):
    return [row["file"] for row in rows]


def test_the_columns_have_their_types_and_labels_are_numbers(dataset, stored):
    assert isinstance(dataset, datasets.IterableDataset)
    assert dataset.features["label"].names == ["cat", "dog"]
    rows = list(dataset)
    assert files(rows) == EVERY_NAME
    one = rows[1]
    assert one["image"]["bytes"] in stored.content
    assert {name: one[name] for name in ("label", "split", "caption", "license")} == {
        "label": 0, "split": "train", "caption": "picture 1", "license": "by",
    }  # fmt: skip


def test_images_are_decoded_where_they_are_used(app, client):
    out = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(out, "PNG")
    _, lines = make(1, 50)
    png = out.getvalue()
    line = {**lines[0], "offset": 0, "size_bytes": len(png), "sha256": hashlib.sha256(png).hexdigest()}
    serve(app, png, records_of([line]))
    [row] = client.load_dataset("a1").as_hugging_face()
    assert (row["image"].size, row["image"].getpixel((0, 0))) == ((3, 2), (255, 0, 0))


def test_it_is_shuffled_by_shards_and_a_buffer(dataset):
    assert dataset.num_shards > 5
    mixed = dataset.shuffle(seed=1, buffer_size=50)
    first = files(mixed)
    assert sorted(first) == sorted(EVERY_NAME)
    assert first != EVERY_NAME
    assert files(mixed) == first
    mixed.set_epoch(1)
    assert files(mixed) != first


def test_nodes_share_its_shards(dataset):
    from datasets.distributed import split_dataset_by_node

    found = [
        name for rank in range(2) for name in files(split_dataset_by_node(dataset, rank=rank, world_size=2))
    ]
    assert sorted(found) == sorted(EVERY_NAME)


@pytest.mark.parametrize("stop", [1, 37, COUNT - 1])
def test_a_dataset_of_hugging_face_goes_on_where_its_state_says(dataset, stop):
    begun = []
    for row in dataset:
        begun.append(row["file"])
        if len(begun) == stop:
            state = json.loads(json.dumps(dataset.state_dict()))
            break
    dataset.load_state_dict(state)
    assert begun + files(dataset) == EVERY_NAME
