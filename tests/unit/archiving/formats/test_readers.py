"""The programs that people train with load every format, and find the same images under the same labels."""

import gc
import warnings
from pathlib import Path
from typing import Any, get_args

import datasets
import duckdb
import mlcroissant
import pandas as pd
import polars as pl
import pytest
import webdataset

from shared.archiving.options import AnnotationFormat
from tests.unit.archiving.formats.annotation_readers import (
    ANNOTATION_READERS,
    folder_label,
    labels_in_order,
    urls_by_pixels,
)
from tests.unit.archiving.formats.conftest import SPLITS, pixels_of

# mlcroissant uses parts of rdflib and pandas that are to be replaced, and leaves its files to the collector
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def by_hugging_face(folder, *, streaming):
    found = datasets.load_dataset(str(folder), streaming=streaming, cache_dir=str(folder.parent / "cache"))
    assert set(found) == {"train", "validation", "test"}
    if list(folder.glob("train-*.parquet")):
        for split in found.values():
            assert split.features["label"].names == labels_in_order(folder)
            assert isinstance(split.features["image"], datasets.Image)
    return {split: list(found["validation" if split == "val" else split]) for split in SPLITS}


def hugging_face(folder, form, *, streaming=False):
    """Reads all formats by their card."""
    for split, rows in by_hugging_face(folder, streaming=streaming).items():
        labels = label_names(folder) if form == "parquet" else None
        for row in rows:
            fields = row["json"] if form == "webdataset" else row
            label = labels[fields["label"]] if labels else fields["label"]
            yield split, fields["url"], label, row["jpg" if form == "webdataset" else "image"]


def hugging_face_streaming(folder, form):
    yield from hugging_face(folder, form, streaming=True)


def label_names(folder):
    """Returns the labels in the order of their numbers, as the card lists them."""
    lines = (folder / "README.md").read_text().partition("| cls | label |\n")[2].splitlines()[1:]
    names = [line.split(" | ")[1].removesuffix(" |") for line in lines if line.startswith("|")]
    assert names == labels_in_order(folder)
    assert len(names) == 3
    return names


def folders(folder, _form):
    """Reads a ZIP as torchvision's ImageFolder does: labels are the names of folders."""
    files = {split: f"{folder}/{split}/*/*" for split in SPLITS}
    found = datasets.load_dataset("imagefolder", data_files=files, cache_dir=str(folder.parent / "cache"))
    urls = {sha: url for split in SPLITS for url, sha in urls_by_pixels(folder, split)}
    for split in SPLITS:
        rows = found[split]
        names = rows.features["label"].names
        for row in rows:
            name = names[row["label"]]
            yield split, urls[pixels_of(row["image"])], folder_label(name), row["image"]


def table_reader(read):
    """Returns a reader of Parquet with a function that returns the rows of all files of a glob."""

    def reader(folder, form):
        for split in SPLITS:
            if form == "zip":
                for row in read(str(folder / split / "metadata.parquet")):
                    yield split, row["url"], row["label"], (folder / split / row["file_name"]).read_bytes()
            else:
                names = label_names(folder)
                for row in read(str(folder / f"{split}-*.parquet")):
                    yield split, row["url"], names[row["label"]], bytes(row["image"]["bytes"])

    return reader


def read_by_duckdb(glob):
    found = duckdb.read_parquet(glob)
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def read_by_pandas(glob):
    pattern = Path(glob)
    files = sorted(pattern.parent.glob(pattern.name))
    return pd.concat([pd.read_parquet(file) for file in files]).to_dict("records")


def web_dataset(folder, _form):
    for split in SPLITS:
        shards = sorted(str(path) for path in folder.glob(f"{split}-*.tar"))
        assert shards
        names = label_names(folder)
        with warnings.catch_warnings():
            # the library leaves its files to the collector
            warnings.simplefilter("ignore", ResourceWarning)
            rows = list(webdataset.WebDataset(shards, shardshuffle=False).decode("pil"))
            gc.collect()
        for row in rows:
            assert row["json"]["label"] == names[row["cls"]]
            yield split, row["json"]["url"], row["json"]["label"], row["jpg"]


def croissant(folder, form):
    """Reads all formats by their description."""
    dataset = mlcroissant.Dataset(folder / "croissant.json")
    labels = {record["labels/number"]: record["labels/name"] for record in dataset.records("labels")}
    for split in SPLITS:
        for row in dataset.records(split):
            label = row[f"{split}/label"]
            name = labels[label] if form == "parquet" else label.decode()
            yield split, row[f"{split}/url"].decode(), name, row[f"{split}/image"]


READERS = {
    ("zip", "datasets"): hugging_face,
    ("zip", "datasets, streaming"): hugging_face_streaming,
    ("zip", "folders"): folders,
    ("zip", "duckdb"): table_reader(read_by_duckdb),
    ("zip", "polars"): table_reader(lambda glob: pl.read_parquet(glob).to_dicts()),
    ("zip", "pandas"): table_reader(read_by_pandas),
    ("webdataset", "datasets"): hugging_face,
    ("webdataset", "datasets, streaming"): hugging_face_streaming,
    ("webdataset", "webdataset"): web_dataset,
    ("parquet", "datasets"): hugging_face,
    ("parquet", "datasets, streaming"): hugging_face_streaming,
    ("parquet", "duckdb"): table_reader(read_by_duckdb),
    ("parquet", "polars"): table_reader(lambda glob: pl.scan_parquet(glob).collect().to_dicts()),
    ("parquet", "pandas"): table_reader(read_by_pandas),
    ("zip", "mlcroissant"): croissant,
    ("webdataset", "mlcroissant"): croissant,
    ("parquet", "mlcroissant"): croissant,
    **ANNOTATION_READERS,
}
ANNOTATIONS = get_args(AnnotationFormat.__value__)


@pytest.mark.usefixtures("croissant_cache")
@pytest.mark.parametrize(("form", "reader"), READERS)
async def test_a_reader_finds_the_same_images_under_the_same_labels(delivered, form, reader):
    folder, wanted = await delivered(form, ANNOTATIONS)
    found: dict[str, list[Any]] = {split: [] for split in SPLITS}
    for split, url, label, image in READERS[form, reader](folder, form):
        found[split].append((url, label, *pixels_of(image)))
    assert {split: sorted(images) for split, images in found.items()} == wanted
    assert sum(map(len, wanted.values())) == 360
