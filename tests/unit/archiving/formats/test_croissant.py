"""croissant.json of every format describes the files and the records as they are."""

import hashlib
import json

import mlcroissant
import pytest

from shared.archiving.texts.metadata import COLUMNS
from tests.unit.archiving.conftest import LABELS
from tests.unit.archiving.formats.conftest import SPLITS

FORMS = ("zip", "webdataset", "parquet")
# mlcroissant uses parts of rdflib and pandas that are to be replaced, and leaves its files to the collector
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(params=FORMS)
async def folder(delivered, request):
    return (await delivered(request.param)).folder


async def test_mlcroissant_finds_neither_errors_nor_warnings(folder):
    dataset = mlcroissant.Dataset(folder / "croissant.json")
    assert not dataset.metadata.ctx.issues.errors
    assert not dataset.metadata.ctx.issues.warnings
    assert dataset.metadata.ctx.conforms_to.value == "http://mlcommons.org/croissant/1.1"
    assert {record_set.id for record_set in dataset.metadata.record_sets} == {"labels", *SPLITS}


async def test_every_file_has_its_checksum_and_its_size(folder):
    description = json.loads((folder / "croissant.json").read_bytes())
    files = [node for node in description["distribution"] if node["@type"] == "cr:FileObject"]
    assert files
    for file in files:
        data = (folder / file["contentUrl"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
        assert file["contentSize"] == f"{len(data)} B"
    named = {file["contentUrl"] for file in files}
    assert named >= {path.name for path in folder.iterdir() if path.suffix in {".tar", ".parquet"}}


@pytest.mark.usefixtures("croissant_cache")
async def test_every_record_names_licence_author_and_address_of_its_image(folder):
    dataset = mlcroissant.Dataset(folder / "croissant.json")
    for split in SPLITS:
        records = list(dataset.records(split))
        assert records
        for record in records:
            assert set(record) == {f"{split}/{name}" for name in ("image", *COLUMNS)}
            assert record[f"{split}/license"] == b"by"
            number = int(record[f"{split}/file_name"].partition(b".")[0])
            assert record[f"{split}/creator"] == f"Author {number}".encode()
            assert record[f"{split}/url"] == f"https://x/{number}".encode()


async def test_the_dataset_says_how_it_was_made_and_lists_labels_and_licences(folder):
    dataset = mlcroissant.Dataset(folder / "croissant.json")
    assert dataset.metadata.name == "pets"
    assert dataset.metadata.license == ["https://creativecommons.org/licenses/by/4.0/"]
    assert dataset.metadata.data_collection.endswith("urls (360).")
    assert dataset.metadata.data_collection_type == ["Web Scraping"]
    assert dataset.metadata.data_preprocessing_protocol[0] == "Images are as they were found."
    assert [(record["labels/number"], record["labels/name"]) for record in dataset.records("labels")] == list(
        enumerate(LABELS)
    )
