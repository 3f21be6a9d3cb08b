"""The folders of a ZIP number labels the same way in each split, for the loaders that count folders."""

import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from pixcrawler.downloads.unpack import names_in, unpack
from shared.archiving.options import Splits
from tests.unit.archiving.conftest import LABELS


@pytest.fixture
async def archive(studio, tmp_path):
    """Returns a ZIP in which the label `rare` has one image, and `café` one in a folder that is not ASCII."""
    order = await studio.crawl(30, splits=Splits({"train": 0.6, "val": 0.2, "test": 0.2}))
    rare = {0: "rare", 1: "café"}
    order = await studio.describe(
        order,
        lambda record: replace(record.candidate, label=rare.get(record.index, LABELS[record.index % 2])),
    )
    archived = await studio.archive(order)
    path = tmp_path / "pets.zip"
    path.write_bytes(await studio.blobs.get(archived.blobs[0]))
    return path


def classes_of(folder: Path) -> list[str]:
    """Returns the classes in the order of their numbers, as torchvision and Ultralytics find them."""
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir())


async def test_each_split_has_a_folder_for_each_label(archive):
    folder = unpack(archive)
    for split in ("train", "val", "test"):
        assert classes_of(folder / split) == ["café", *LABELS[:2], "rare"]
    empty = [path for path in folder.glob("*/*") if path.is_dir() and not any(path.iterdir())]
    assert {path.name for path in empty} >= {"rare", "café"}
    assert len([path for path in folder.glob("*/*/*") if path.is_file()]) == 27


async def test_empty_folders_are_folders_for_every_program_and_no_files(archive):
    with zipfile.ZipFile(archive) as opened:
        folders = [info for info in opened.infolist() if info.is_dir()]
        assert opened.testzip() is None
    assert folders
    for info in folders:
        assert stat.S_ISDIR(info.external_attr >> 16)
        assert stat.S_IMODE(info.external_attr >> 16) == 0o755
        # the attribute of a directory in MS-DOS
        assert info.external_attr & 0x10
        assert info.file_size == 0
    assert not {info.filename.rstrip("/") for info in folders} & set(names_in(archive))


async def test_a_dataset_with_one_split_has_no_empty_folders(studio):
    with await studio.zip(await studio.crawl(30)) as opened:
        assert not [name for name in opened.namelist() if name.endswith("/")]


async def test_a_label_without_images_has_no_folder(studio):
    order = await studio.crawl(30, max_images=2, splits=Splits({"train": 0.5, "val": 0.5}))
    with await studio.zip(order) as opened:
        images = {name.split("/")[1] for name in opened.namelist() if name.endswith(".jpg")}
        folders = {name.split("/")[1] for name in opened.namelist() if name.count("/") == 2}
    assert folders == images
    assert len(images) == 2
