"""The annotations of datasets with hostile and missing texts, in the programs that people read them with."""

import csv
import hashlib
import io
import re
import tracemalloc
import zipfile
from dataclasses import replace

import datasets
import numpy as np
import pytest
import yaml

from shared.archiving.options import Dedup, Output, Splits
from shared.archiving.texts.card import checksum_of
from shared.records.candidates import Provenance

# the only image with a caption and a creator
DESCRIBED = 3
SPLITS = Splits({"train": 0.8, "test": 0.2})


def _with_few_texts(record):
    if record.index == DESCRIBED:
        provenance = Provenance("urls", license="by", creator="Jane")
        return replace(record.candidate, label="NA", caption="=SUM(1)", provenance=provenance)
    return replace(record.candidate, label="null", caption=None, provenance=Provenance("urls"))


@pytest.mark.parametrize("annotations", [("jsonl",), ("jsonl", "csv"), ("csv",)])
async def test_imagefolder_loads_splits_whose_images_have_empty_fields(studio, tmp_path, annotations):
    order = await studio.crawl(22, splits=SPLITS, output=Output(annotations=annotations))
    with await studio.zip(await studio.describe(order, _with_few_texts)) as archive:
        archive.extractall(tmp_path / "unpacked")
        assert ("annotations.csv" in archive.namelist()) == ("csv" in annotations)
    loaded = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "unpacked"), cache_dir=str(tmp_path / "cache")
    )
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 16, "test": 4}
    rows = [row for split in loaded.values() for row in split]
    texts = sorted({(row["label"], row["caption"], row["creator"]) for row in rows})
    assert texts == [("NA", "=SUM(1)", "Jane"), ("null", "", "")]
    assert all(row["image"].size == (row["width"], row["height"]) for row in rows)


@pytest.mark.parametrize("splits", [Splits(), Splits({"train": 0.6, "val": 0.4})])
async def test_labels_that_have_the_name_of_a_split_load_as_labels(studio, tmp_path, splits):
    labels = ("test", "dev-board", "train", "test drive", "val", "validation", "a eval", "metadata.jsonl")
    order = await studio.crawl(40, splits=splits, dedup=Dedup(exact=False, near_distance=None))
    order = await studio.describe(
        order, lambda record: replace(record.candidate, label=labels[record.index % 8])
    )
    with await studio.zip(order) as archive:
        archive.extractall(tmp_path / "unpacked")
    loaded = datasets.load_dataset(str(tmp_path / "unpacked"), cache_dir=str(tmp_path / "cache"))
    wanted = {"train": 36} if splits == Splits() else {"train": 22, "validation": 14}
    assert {split: len(rows) for split, rows in loaded.items()} == wanted
    assert {row["label"] for rows in loaded.values() for row in rows} == set(labels)


@pytest.mark.parametrize(
    "annotations", [("jsonl",), ("coco", "txt"), ("csv", "txt", "yaml", "coco", "labelstudio", "fiftyone")]
)
@pytest.mark.parametrize("form", ["zip", "webdataset"])
async def test_the_card_lists_exactly_the_files_that_are_delivered_with_the_images(studio, annotations, form):
    order = await studio.crawl(22, splits=SPLITS, output=Output(format=form, annotations=annotations))
    archived = await studio.archive(order)
    if form == "zip":
        with zipfile.ZipFile(io.BytesIO(await studio.blobs.get(archived.blobs[0]))) as archive:
            card = archive.read("README.md").decode()
            names = {name.split("/")[-1] for name in archive.namelist() if not name.endswith(".jpg")}
    else:
        card = (await studio.blobs.get(f"{order.prefix}README.md")).decode()
        names = {name.rpartition("/")[2] for name in archived.blobs if not name.endswith(".tar")}
    listed = re.findall(r"^- `(?:\{split\}/)?([\w.]+)`: ", card, re.MULTILINE)
    assert sorted(listed) == sorted(names - {"README.md"})


@pytest.mark.parametrize("as_in_storage", [True, False])
@pytest.mark.parametrize(
    "annotations", [("jsonl",), ("csv", "txt", "yaml", "coco", "labelstudio", "fiftyone")]
)
@pytest.mark.parametrize(
    ("splits", "wanted"),
    [(Splits(), {"train": 20}), (SPLITS, {"train": 16, "test": 4}), (Splits({"val": 1}), {"validation": 20})],
)
async def test_a_folder_of_shards_loads_with_any_fields_and_any_files_beside_the_shards(
    studio, tmp_path, annotations, splits, wanted, as_in_storage
):
    order = await studio.crawl(22, splits=splits, output=Output(format="webdataset", annotations=annotations))
    archived = await studio.archive(await studio.describe(order, _with_few_texts))
    folder = tmp_path / "folder"
    (folder / "shards").mkdir(parents=True)
    for name in archived.blobs:
        place = name.removeprefix(order.prefix) if as_in_storage else name.rpartition("/")[2]
        (folder / place).write_bytes(await studio.blobs.get(name))
    first = "train-00001.tar" if splits == SPLITS else "00001.tar"
    assert f'WebDataset("path/to/{first}"' in (folder / "README.md").read_text()
    assert (folder / ("shards" if as_in_storage else "") / first).exists()
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == wanted
    assert all(row["jpg"].size[0] == row["json"]["width"] for rows in loaded.values() for row in rows)
    texts = sorted(
        {(row["json"]["label"], row["json"]["creator"]) for rows in loaded.values() for row in rows}
    )
    assert texts == [("NA", "Jane"), ("null", "")]


@pytest.mark.parametrize(
    ("changes", "parents", "notice"),
    [
        ("", (), ""),
        ("re-encoded as JPEG", (), "Images were changed: re-encoded as JPEG."),
        ("", ("a", "b"), "Those of a, b may have been changed before: the cards there tell."),
    ],
)
@pytest.mark.parametrize("form", ["zip", "webdataset"])
async def test_card_and_attributions_say_how_images_were_changed(studio, changes, parents, notice, form):
    order = await studio.crawl(5, changes=changes, parents=parents, output=Output(format=form))
    card, attributions = await _card_and_attributions(studio, order)
    head = "Images whose licences ask for it, and their authors."
    assert attributions.splitlines()[2] == f"{head} {notice}".strip()
    assert f"- {notice or 'Images are as they were found.'}\n" in card
    assert "adapted" not in card


@pytest.mark.parametrize("changes", ["", "cut"])
async def test_the_card_warns_of_changed_images_whose_licences_allow_no_adapted_versions(studio, changes):
    def candidate_of(record):
        code = ("by", "by-nd", "by-nc-nd")[record.index % 3]
        return replace(record.candidate, provenance=Provenance("urls", license=code))

    order = await studio.describe(await studio.crawl(8, changes=changes), candidate_of)
    card, _ = await _card_and_attributions(studio, order)
    warning = (
        "Images were changed (see below), and `by-nc-nd`, `by-nd` do not allow adapted versions to be shared."
    )
    assert (warning in card) == bool(changes)


async def _card_and_attributions(studio, order):
    names = ("README.md", "ATTRIBUTION.md")
    if order.output.format == "zip":
        with await studio.zip(order) as archive:
            return [archive.read(name).decode() for name in names]
    await studio.archive(order)
    return [(await studio.blobs.get(f"{order.prefix}{name}")).decode() for name in names]


async def test_csv_has_every_text_unchanged(studio):
    order = await studio.crawl(22, output=Output(annotations=("csv",)))
    with await studio.zip(await studio.describe(order, _with_few_texts)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("annotations.csv").decode(), newline="")))
        assert {row["file_name"] for row in rows} < set(archive.namelist())
    assert {(row["label"], row["caption"]) for row in rows} == {("NA", "=SUM(1)"), ("null", "")}


async def test_yaml_loads_any_characters_unchanged(studio):
    odd = 'a\ufffe\uffff\u2028\u2029\ufeff\u0085\x7f\U0001f408\U0001ffff"\\b'
    order = await studio.crawl(2, output=Output(annotations=("yaml",)), name=odd)
    order = await studio.describe(order, lambda record: replace(record.candidate, caption=odd))
    with await studio.zip(order) as archive:
        listed = yaml.safe_load(archive.read("annotations.yaml"))["images"]
        front = archive.read("README.md").decode().split("---\n")[1]
    assert [row["caption"] for row in listed] == [odd, odd]
    assert yaml.safe_load(front)["pretty_name"] == odd


async def test_markdown_shows_texts_from_outside_unchanged(studio):
    title = "<img src=x> ![a](https://evil.example) `b` *c* _d_ # &lt;"
    provenance = Provenance(
        "urls",
        license="by",
        title=title,
        page_url="https://x.example/a_b#c&d=1",
        license_url="https://creativecommons.org/licenses/by/4.0/",
    )
    order = await studio.crawl(1)
    order = await studio.describe(
        order, lambda record: replace(record.candidate, label="a`b", provenance=provenance)
    )
    with await studio.zip(order) as archive:
        line = archive.read("ATTRIBUTION.md").decode().splitlines()[-1]
        card = archive.read("README.md").decode()
    shown = r"\<img src=x\> !\[a\](https\://evil.example) \`b\` \*c\* \_d\_ \# \&lt;"
    links = ("<https://x.example/a_b#c&d=1>", "<https://creativecommons.org/licenses/by/4.0/>")
    assert line == f'- `` train/a`b/00000000.jpg ``: "{shown}" {links[0]}, CC BY {links[1]}'
    assert r"| a\`b | 1 | 1 |" in card


async def test_the_card_has_counts_settings_and_a_checksum_that_can_be_computed_again(studio):
    order = await studio.crawl(30, splits=SPLITS, max_images_per_label=8, seed=5)
    order = replace(order, dedup=Dedup(exact=True, near_distance=None, against=("old",)), parents=("a", "b"))
    with await studio.zip(order) as archive:
        card = archive.read("README.md").decode()
        sums = archive.read("SHA256SUMS").decode().splitlines()
    lines = sorted(line[:64] for line in sums)
    checksum = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    for line in (
        "24 images",
        "| cat | 10 | 8 |",
        "| urls | 24 |",
        "| by | 24 |",
        "licence was given, or one that has no code here, such as GFDL",
        "- made of the datasets: a, b\n",
        "- deduplication: equal bytes; also against old\n",
        "- images per label: 8\n",
        "- splits: train 0.8, test 0.2; seed 5\n",
        f"`{checksum}`",
    ):
        assert line in card


def test_the_checksum_of_very_many_images_takes_little_memory():
    names = [hashlib.sha256(str(number).encode()).digest() for number in range(20_000)]
    columns = np.frombuffer(b"".join(names), "V32")
    tracemalloc.start()
    found = checksum_of(columns)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == hashlib.sha256("".join(f"{name.hex()}\n" for name in sorted(names)).encode()).hexdigest()
    assert peak < 80 * len(names)


async def test_the_card_says_that_nothing_was_deduplicated(studio):
    order = await studio.crawl(5, dedup=Dedup(exact=False, near_distance=None))
    with await studio.zip(order) as archive:
        assert "- deduplication: none\n" in archive.read("README.md").decode()
