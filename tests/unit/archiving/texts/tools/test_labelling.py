"""The files for Label Studio and FiftyOne name each image once, under its label."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.archiving.options import Output, Splits
from tests.unit.archiving.conftest import LABELS


@pytest.fixture(params=["zip", "webdataset", "parquet"])
async def dataset(request, studio):
    """Returns the format, a function that reads a file of the dataset, and the names of the images in a ZIP."""
    output = Output(format=request.param, annotations=("labelstudio", "fiftyone", "txt"))
    order = await studio.crawl(60, splits=Splits({"train": 0.7, "test": 0.3}), output=output)
    if request.param == "zip":
        with await studio.zip(order) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
    else:
        archived = await studio.archive(order)
        files = {name.rpartition("/")[2]: await studio.blobs.get(name) for name in archived.blobs}
    plain = dict(line.split("\t") for line in files["annotations.txt"].decode().splitlines())
    assert len(plain) == 54
    return request.param, files, plain


async def test_classes_are_numbered_in_the_same_order_everywhere(dataset):
    _, files, _ = dataset
    assert files["classes.txt"].decode().splitlines() == list(LABELS)
    assert json.loads(files["annotations.fiftyone.json"])["classes"] == list(LABELS)


async def test_fiftyone_finds_the_label_of_each_image_by_its_path_without_extension(dataset):
    _, files, plain = dataset
    labels = json.loads(files["annotations.fiftyone.json"])["labels"]
    found = {f"{path}.jpg": LABELS[number] for path, number in labels.items()}
    assert found == plain


async def test_each_task_of_label_studio_is_annotated_with_the_label_of_its_image(dataset):
    form, files, plain = dataset
    tasks = json.loads(files["annotations.labelstudio.json"])
    found = {}
    for task in tasks:
        (result,) = task["annotations"][0]["result"]
        assert (result["from_name"], result["to_name"], result["type"]) == ("label", "image", "choices")
        address = urlsplit(task["data"]["image"])
        if form == "zip":
            assert address.path == "/data/local-files/"
            (path,) = parse_qs(address.query)["d"]
            assert path in files
        else:
            assert task["data"]["image"] == task["data"]["url"]
            path = task["data"]["file_name"]
        (found[path],) = result["value"]["choices"]
    assert found == plain
    assert len(tasks) == len(plain)


async def test_a_dataset_without_images_has_no_broken_files(studio):
    order = await studio.crawl(0, output=Output(annotations=("labelstudio", "fiftyone")))
    archived = await studio.archive(order)
    assert archived.blobs == ()
