"""Texts that look like numbers or dates load as texts, in the programs that the card recommends."""

import json
import re
import zipfile
from typing import Any

import datasets
import pytest

from shared.archiving.options import Dedup, Output, Splits
from shared.records.candidates import Candidate, Provenance
from shared.records.scores import SCORES_OF_ALL

ALL = Dedup(exact=False, near_distance=None)
SPLITS = {"train": 0.6, "val": 0.2, "test": 0.2}
LIKE_DATES = (
    "2021-03-05",
    "2021-03-05 12:30:00",
    "2021-03-05T12:30:00Z",
    "2021-03-05T12:30:00+02:00",
    "2021-03-05T12:30:00.123456",
    "20210305",
    "12:30:00",
    "1999-12-31T23:59:60Z",
)
LIKE_NUMBERS = ("007", "1e5", "0x1F", "1_000", "-0", "3.10", "1,5", "NaN", "Infinity", "9" * 30)
LIKE_OTHERS = (
    "null",
    "NULL",
    "true",
    "None",
    "NA",
    "N/A",
    "",
    "[]",
    "{}",
    '""',
    "<NA>",
    " ",
    "=1+1",
    "#N/A",
    "nan",
)
MARKS = (
    'a "quoted" text',
    "a, b",
    "a\u2028b",
    "é\u202e",
    "👩\u200d👩",
    "back\\slash",
    "it's",
    "a\rb",
    "a\nb",
    "a\tb",
)
EVERYTHING = LIKE_DATES + LIKE_NUMBERS + LIKE_OTHERS + MARKS


def describing(*texts: str):
    """Returns a function that gives each image the next of these texts as its label, caption, title and creator."""

    def candidate_of(record):
        text = texts[record.index % len(texts)]
        provenance = Provenance("urls", license="by", title=text, creator=text)
        return Candidate(record.candidate.url, text or "empty", provenance, text)

    return candidate_of


def fields_of(texts):
    return sorted((text or "empty", text, text) for text in set(texts))


async def unpacked(studio, folder, texts, count=30, **changes):
    order = await studio.crawl(count, dedup=ALL, **changes)
    with await studio.zip(await studio.describe(order, describing(*texts))) as archive:
        archive.extractall(folder)
        return archive.read("README.md").decode()


def loaded(path, cache, *, by_card=True):
    where = {"path": str(path)} if by_card else {"path": "imagefolder", "data_dir": str(path)}
    return datasets.load_dataset(**where, cache_dir=str(cache))


@pytest.mark.parametrize("by_card", [True, False])
@pytest.mark.parametrize("splits", [{"train": 1}, SPLITS])
@pytest.mark.parametrize(
    "texts", [*[(text,) for text in LIKE_DATES[:4]], LIKE_DATES, LIKE_NUMBERS, LIKE_OTHERS, MARKS]
)
async def test_texts_that_look_like_other_types_load_as_texts_in_all_splits(
    studio, tmp_path, texts, splits, by_card
):
    await unpacked(studio, tmp_path / "unpacked", texts, splits=Splits(splits))
    found = loaded(tmp_path / "unpacked", tmp_path / "cache", by_card=by_card)
    assert len(found) == len(splits)
    for rows in found.values():
        kinds = {name: str(kind.dtype) for name, kind in rows.features.items() if name != "image"}
        assert {name for name, kind in kinds.items() if kind == "int64"} == {"width", "height"}
        assert {name for name, kind in kinds.items() if kind == "float64"} == set(SCORES_OF_ALL)
        assert set(kinds.values()) == {"int64", "float64", "string"}
    rows = [row for split in found.values() for row in split]
    assert len(rows) == 27
    assert all(row["image"].size == (row["width"], row["height"]) for row in rows)
    assert {(row["label"], row["caption"], row["creator"]) for row in rows} <= set(fields_of(texts))


async def test_dates_and_other_texts_load_as_texts_wherever_a_block_of_the_reader_ends(studio, tmp_path):
    """A reader that guesses types does so for each block of some MB. The first block has dates only."""
    long = ("x" * 1_000_000, "2021-03-05")
    order = await studio.crawl(60, dedup=ALL)

    def candidate_of(record):
        caption = long[record.index < 30] if record.index >= 30 else "2021-03-05"
        return Candidate(record.candidate.url, "2021-03-05", Provenance("urls", title=long[0]), caption)

    with await studio.zip(await studio.describe(order, candidate_of)) as archive:
        archive.extractall(tmp_path / "unpacked")
    captions = loaded(tmp_path / "unpacked", tmp_path / "cache")["train"]["caption"]
    assert (captions[0], captions[-1]) == ("2021-03-05", long[0])


@pytest.mark.parametrize("texts", [LIKE_DATES[:1], EVERYTHING])
async def test_texts_load_as_texts_from_shards(studio, tmp_path, texts):
    order = await studio.crawl(
        60, dedup=ALL, splits=Splits.model_validate(SPLITS), output=Output(format="webdataset")
    )
    archived = await studio.archive(await studio.describe(order, describing(*texts)))
    for name in archived.blobs:
        (tmp_path / name.rpartition("/")[2]).write_bytes(await studio.blobs.get(name))
    found = loaded(tmp_path, tmp_path / "cache")
    assert set(found) == {"train", "validation", "test"}
    rows = [row for split in found.values() for row in split]
    assert len(rows) == 54
    for row in rows:
        fields = row["json"]
        assert (fields["label"], fields["caption"], fields["creator"]) in fields_of(texts)
        assert row["txt"] == (fields["caption"] or fields["label"])


@pytest.mark.parametrize("texts", [("007",), ("1e5", "3.10"), LIKE_DATES[:1], ("NA", "null"), EVERYTHING])
@pytest.mark.parametrize("form", ["zip", "webdataset", "parquet"])
async def test_the_programs_in_the_card_run_unchanged_and_keep_texts(
    studio, tmp_path, monkeypatch, form, texts
):
    """Only the paths are replaced."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "folder"
    folder.mkdir()
    output = Output(format=form, annotations=("jsonl", "csv"))
    order = await studio.crawl(60, dedup=ALL, output=output)
    archived = await studio.archive(await studio.describe(order, describing(*texts)))
    for name in archived.blobs:
        (folder / name.rpartition("/")[2]).write_bytes(await studio.blobs.get(name))
    if form == "zip":
        zipfile.ZipFile(folder / "dataset.zip").extractall(folder)
        (folder / "dataset.zip").unlink()
    card = (folder / "README.md").read_text()
    programs = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert len(programs) == (3 if form == "zip" else 2)
    paths = r"path/to(/the/unpacked/archive|/the/folder/of/these/files)?"
    for program in programs:
        names: dict[str, Any] = {}
        exec(re.sub(paths, str(folder), program), names)  # noqa: S102 - the test runs the card's own programs
        if (images := names.get("images")) is not None:
            rows = images if isinstance(images, list) else images.to_dict("records")
            assert {row["caption"] for row in rows} == {
                texts[i % len(texts)] for i in range(60) if i % 10 != 9
            }
            # the rows of Parquet shards have the labels' numbers
            labels = {int, str} if form == "parquet" else {str}
            assert all(type(row["width"]) is int and type(row["label"]) in labels for row in rows)


async def test_no_text_breaks_a_line_of_annotations_whatever_a_reader_takes_for_a_line_break(studio):
    order = await studio.crawl(30, dedup=ALL, output=Output(annotations=("jsonl", "txt", "yaml", "coco")))
    texts = ("a\u2028b", "a\u2029b", "a\x85b", "a\x1cb", "a\x0bb", "a\x0cb", "a\nb", "a\rb")
    with await studio.zip(await studio.describe(order, describing(*texts))) as archive:
        lines = archive.read("annotations.jsonl").decode().splitlines()
        plain = archive.read("annotations.txt").decode().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == len(plain) == 27
    assert {row["caption"] for row in rows} == set(texts)
    assert all(line.split("\t")[1] == "a b" for line in plain)
