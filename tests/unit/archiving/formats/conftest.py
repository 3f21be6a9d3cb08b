"""Makes a dataset of any format as a person has it: downloaded and, if it is a ZIP, unpacked."""

import io
import zipfile
import zlib
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from shared.archiving.options import Dedup, Output, Splits
from shared.records.delivered import read_delivered

SPLITS = {"train": 0.6, "val": 0.2, "test": 0.2}


class Delivered(NamedTuple):
    """A dataset in a folder, and the images of each split.

    An image is its address, its label, its shape, and a checksum of its pixels.
    """

    folder: Any
    images: dict[str | None, list[Any]]


@pytest.fixture
async def delivered(studio, tmp_path):
    """Returns a function that makes a dataset of a format."""

    async def deliver(form, annotations=("jsonl",)):
        output = Output(format=form, shard_size=100_000, annotations=annotations)
        splits = Splits.model_validate(SPLITS)
        order = await studio.crawl(400, output=output, splits=splits, dedup=Dedup(near_distance=None))
        archived = await studio.archive(order)
        folder = tmp_path / "dataset"
        folder.mkdir()
        for name in archived.blobs:
            (folder / name.rpartition("/")[2]).write_bytes(await studio.blobs.get(name))
        images: dict[str | None, list[Any]] = {split: [] for split in SPLITS}
        async for record in read_delivered(studio.blobs.stream(archived.records_blob), "1"):
            if record.kept:
                where = {"offset": record.offset, "length": record.size_bytes}
                data = await studio.blobs.get(f"{order.prefix}{record.blob}", **where)
                images[record.split].append((record.url, record.label, *pixels_of(data)))
        if form == "zip":
            with zipfile.ZipFile(folder / "dataset.zip") as archive:
                archive.extractall(folder)
            (folder / "dataset.zip").unlink()
        return Delivered(folder, {split: sorted(found) for split, found in images.items()})

    return deliver


def pixels_of(image):
    """Returns the shape of an image, and a checksum of its pixels."""
    if isinstance(image, bytes):
        image = Image.open(io.BytesIO(image))
    pixels = np.asarray(image)
    return pixels.shape, zlib.crc32(pixels.tobytes())


@pytest.fixture
def croissant_cache(tmp_path, monkeypatch):
    """Makes mlcroissant unpack archives into a folder of the test: it names their folders by relative paths."""
    from mlcroissant._src.operation_graph.operations import extract

    monkeypatch.setattr(extract, "EXTRACT_PATH", type(extract.EXTRACT_PATH)(tmp_path / "extracted"))
