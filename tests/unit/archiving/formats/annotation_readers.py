"""Readers of the files beside the images: annotations of tools, tables, and folders as classes."""

import json
import tarfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
import pandas as pd
import polars as pl
from pycocotools.coco import COCO

from tests.expect import present
from tests.unit.archiving.formats.conftest import SPLITS, pixels_of

# the label `ünï: a/b` cannot be the name of a folder
ODD_FOLDERS = {"ünï_": "ünï: a/b"}


def folder_label(name):
    """Returns the label of a folder."""
    return ODD_FOLDERS.get(name[:4], name)


def urls_by_pixels(folder, split):
    """Yields the address of each image of a split, and what `pixels_of` says of its file."""
    for row in pd.read_parquet(folder / split / "metadata.parquet").to_dict("records"):
        yield row["url"], pixels_of((folder / split / row["file_name"]).read_bytes())


def numbered_folders(folder, _form):
    """Reads a ZIP as Ultralytics does: names are those of the folders of `train`, numbers those of each split."""
    names = [path.name for path in sorted((folder / "train").iterdir()) if path.is_dir()]
    for split in SPLITS:
        urls = {pixels: url for url, pixels in urls_by_pixels(folder, split)}
        classes = [path for path in sorted((folder / split).iterdir()) if path.is_dir()]
        for number, place in enumerate(classes):
            for path in place.iterdir():
                image = path.read_bytes()
                yield split, urls[pixels_of(image)], folder_label(names[number]), image


def label_studio(folder, _form):
    """Reads the tasks, whose images are local files below the folder."""
    for task in json.loads((folder / "annotations.labelstudio.json").read_bytes()):
        (annotation,) = task["annotations"]
        (result,) = annotation["result"]
        (label,) = result["value"]["choices"]
        (path,) = parse_qs(urlsplit(task["data"]["image"]).query)["d"]
        yield path.partition("/")[0], task["data"]["url"], label, (folder / path).read_bytes()


def fifty_one(folder, _form):
    """Reads images as FiftyOneImageClassificationDataset does: by their paths without extensions."""
    found = json.loads((folder / "annotations.fiftyone.json").read_bytes())
    for split in SPLITS:
        urls = {pixels: url for url, pixels in urls_by_pixels(folder, split)}
        for path in (folder / split).glob("*/*"):
            image = path.read_bytes()
            number = found["labels"].pop(path.relative_to(folder).with_suffix("").as_posix())
            yield split, urls[pixels_of(image)], found["classes"][number], image
    assert not found["labels"]


def coco(folder, _form):
    """Reads COCO's annotations by its own library."""
    found = COCO(folder / "annotations.coco.json")
    for image in found.loadImgs(found.getImgIds()):
        (annotation,) = found.loadAnns(found.getAnnIds(imgIds=image["id"]))
        label = found.cats[annotation["category_id"]]["name"]
        path = image["file_name"]
        yield path.partition("/")[0], image["coco_url"], label, (folder / path).read_bytes()


def table_of_shards(folder, _form):
    """Reads the table of a WebDataset, and the images that it names in the shards."""
    images: dict[str, bytes] = {}
    for shard in folder.glob("*.tar"):
        with tarfile.open(shard) as opened:
            images |= {member.name: present(opened.extractfile(member)).read() for member in opened}
    for row in pd.read_parquet(folder / "metadata.parquet").to_dict("records"):
        yield row["split"], row["url"], row["label"], images[row["file_name"]]


def duckdb_by_label(folder, _form):
    """Reads Parquet label by label, so that the library may leave out row groups."""
    for split in SPLITS:
        shards = duckdb.read_parquet(str(folder / f"{split}-*.parquet"))
        for number, label in enumerate(labels_in_order(folder)):
            rows = shards.filter(f"label = {number} and width > 0").project("url, image").fetchall()
            yield from ((split, url, label, image["bytes"]) for url, image in rows)


def polars_by_label(folder, _form):
    """Reads Parquet label by label, as `duckdb_by_label` does."""
    for split in SPLITS:
        shards = pl.scan_parquet(folder / f"{split}-*.parquet")
        for number, label in enumerate(labels_in_order(folder)):
            rows = shards.filter(pl.col("label") == number, pl.col("width") > 0).select("url", "image")
            yield from ((split, url, label, image["bytes"]) for url, image in rows.collect().iter_rows())


def labels_in_order(folder: Path) -> list[str]:
    """Returns the labels in the order of their numbers."""
    return (folder / "classes.txt").read_text("utf-8").splitlines()


ANNOTATION_READERS = {
    ("zip", "numbered folders"): numbered_folders,
    ("zip", "Label Studio"): label_studio,
    ("zip", "FiftyOne"): fifty_one,
    ("zip", "pycocotools"): coco,
    ("webdataset", "pandas"): table_of_shards,
    ("parquet", "duckdb, by label"): duckdb_by_label,
    ("parquet", "polars, by label"): polars_by_label,
}
