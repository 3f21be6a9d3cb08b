"""Looks whether a dataset is what it says: every byte, every picture, every label."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image


class VerificationError(Exception):
    """The dataset is not what it should be; the text says where."""


def verify_zip(path: Path, dataset: Mapping[str, Any], sha256: str) -> dict[str, int]:
    """Check a downloaded ZIP against its dataset; returns the bytes of images by label.

    Raises:
        VerificationError: something is wrong with it.
    """
    if dataset["sha256"] is not None and dataset["sha256"] != sha256:
        raise VerificationError("the archive's SHA-256 is another one")
    with zipfile.ZipFile(path) as archive:
        broken = archive.testzip()
        if broken is not None:
            raise VerificationError(f"{broken} has another checksum")
        described = _described(archive)
        images = {name for name in archive.namelist() if name.count("/") == 2}
        if images != set(described):
            raise VerificationError("the metadata names other images than there are")
        if len(images) != dataset["image_count"]:
            raise VerificationError(f"{len(images)} images in place of {dataset['image_count']}")
        sizes: dict[str, int] = {}
        for name, row in described.items():
            data = archive.read(name)
            with Image.open(io.BytesIO(data)) as image:
                image.load()
                if image.size != (row["width"], row["height"]):
                    raise VerificationError(f"{name} has another size than its metadata says")
            sizes[row["label"]] = sizes.get(row["label"], 0) + len(data)
    for label, counts in dataset["labels"].items():
        kept = sum(1 for row in described.values() if row["label"] == label)
        if kept != counts["kept"]:
            raise VerificationError(f"{kept} images of {label} in place of {counts['kept']}")
    return sizes


def _described(archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    """The rows of all metadata files, by the image's name in the archive."""
    from pyarrow import parquet

    rows: dict[str, dict[str, Any]] = {}
    for name in archive.namelist():
        folder, slash, leaf = name.partition("/")
        if slash and leaf == "metadata.parquet":
            for row in parquet.read_table(io.BytesIO(archive.read(name))).to_pylist():
                rows[f"{folder}/{row['file_name']}"] = row
    return rows
