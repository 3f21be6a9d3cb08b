"""Verifies a downloaded dataset: every checksum, every image and every label."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image


class VerificationError(Exception):
    """The dataset is wrong. The text says where."""


def verify_zip(path: Path, dataset: Mapping[str, Any], sha256: str) -> dict[str, int]:
    """Compares a downloaded ZIP with the API's description of its dataset.

    Returns:
        The size of the images in bytes, by label.

    Raises:
        VerificationError: the ZIP differs from the description.
    """
    if dataset["sha256"] is not None and dataset["sha256"] != sha256:
        raise VerificationError(f"the archive's SHA-256 is {sha256}; it must be {dataset['sha256']}")
    with zipfile.ZipFile(path) as archive:
        broken = archive.testzip()
        if broken is not None:
            raise VerificationError(f"the checksum of {broken} is wrong")
        described = _described(archive)
        images = {name for name in archive.namelist() if name.count("/") == 2}
        if images != set(described):
            raise VerificationError("the archive has other images than its metadata")
        if len(images) != dataset["image_count"]:
            raise VerificationError(f"there are {len(images)} images; there must be {dataset['image_count']}")
        sizes: dict[str, int] = {}
        for name, row in described.items():
            data = archive.read(name)
            with Image.open(io.BytesIO(data)) as image:
                image.load()
                described_size = row["width"], row["height"]
                if image.size != described_size:
                    raise VerificationError(
                        f"the size of {name} is {image.size}; it must be {described_size}"
                    )
            sizes[row["label"]] = sizes.get(row["label"], 0) + len(data)
    for label, counts in dataset["labels"].items():
        kept = sum(1 for row in described.values() if row["label"] == label)
        if kept != counts["kept"]:
            raise VerificationError(f"there are {kept} images of {label}; there must be {counts['kept']}")
    return sizes


def _described(archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    """Returns the rows of all metadata files, by the image's name in the archive."""
    from pyarrow import parquet

    rows: dict[str, dict[str, Any]] = {}
    for name in archive.namelist():
        folder, slash, leaf = name.partition("/")
        if slash and leaf == "metadata.parquet":
            for row in parquet.read_table(io.BytesIO(archive.read(name))).to_pylist():
                rows[f"{folder}/{row['file_name']}"] = row
    return rows
