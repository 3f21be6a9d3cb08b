"""Columns that only some jobs ask for are in all tables of their datasets, with nulls where nothing was measured."""

import csv
import io
import json
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import yaml
from pyarrow import parquet

from shared.archiving.formats.registry import FORMATS
from shared.archiving.options import AnnotationFormat, Output, Splits
from shared.records.records import Kept, decode_records, encode_records
from tests.unit.archiving.conftest import make_studio

COUNT = 250


def relevance_of(index: int) -> float | None:
    """Every third image was not measured, and negative values and zero are values."""
    return None if index % 3 == 1 else round((index - 100) / 500, 4)


async def dataset(form: str, optional: tuple[str, ...] = ("relevance",)) -> dict[str, bytes]:
    """Returns the files of a dataset by their names, with those of a ZIP file unpacked."""
    studio = make_studio()
    annotations = get_args(AnnotationFormat.__value__)
    order = await studio.crawl(
        COUNT,
        output=Output(format=form, annotations=annotations, shard_size=100_000),
        optional_columns=optional,
        splits=Splits({"train": 0.5, "test": 0.5}),
    )
    for name in order.record_blobs:
        records = decode_records(await studio.blobs.get(name))
        await studio.blobs.put(name, encode_records(map(measured, records)))
    if form == "zip":
        with await studio.zip(order) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    archived = await studio.archive(order)
    return {blob.removeprefix(order.prefix): await studio.blobs.get(blob) for blob in archived.blobs}


def measured(record):
    if not isinstance(record.outcome, Kept):
        return record
    facts = replace(record.outcome.facts, relevance=relevance_of(record.index))
    return replace(record, outcome=replace(record.outcome, facts=facts))


def index_of(path: str) -> int:
    return int(path.rpartition("/")[2].partition(".")[0])


@pytest.mark.parametrize("form", FORMATS)
async def test_the_parquet_files_have_the_column_as_doubles_with_nulls(form):
    files = await dataset(form)
    tables = [
        parquet.ParquetFile(io.BytesIO(data)) for name, data in files.items() if name.endswith(".parquet")
    ]
    assert tables
    found = {}
    for table in tables:
        assert str(table.schema_arrow.field("relevance").type) == "double"
        for row in table.read().to_pylist():
            found[index_of(row.get("file_name") or row["image"]["path"])] = row["relevance"]
    assert len(found) > COUNT / 2
    assert found == {index: relevance_of(index) for index in found}


async def test_texts_have_null_and_a_csv_file_an_empty_cell_where_nothing_was_measured():
    files = await dataset("zip")
    lines = [json.loads(line) for line in files["annotations.jsonl"].splitlines()]
    expected = {line["file_name"]: relevance_of(index_of(line["file_name"])) for line in lines}
    assert {line["file_name"]: line["relevance"] for line in lines} == expected
    rows = list(csv.DictReader(io.StringIO(files["annotations.csv"].decode())))
    assert {row["file_name"]: row["relevance"] for row in rows} == {
        name: "" if value is None else str(value) for name, value in expected.items()
    }
    described = yaml.safe_load(files["annotations.yaml"])["images"]
    assert {one["file_name"]: one["relevance"] for one in described} == expected
    coco = json.loads(files["annotations.coco.json"])["images"]
    assert {one["file_name"]: one["relevance"] for one in coco} == expected
    tasks = json.loads(files["annotations.labelstudio.json"])
    assert {task["data"]["file_name"]: task["data"]["relevance"] for task in tasks} == expected


async def test_the_report_has_the_distribution_of_the_images_that_were_measured():
    report = (await dataset("zip"))["report.html"].decode()
    assert "Relevance" in report
    assert "The least relevant" in report


@pytest.mark.parametrize("form", FORMATS)
async def test_the_description_has_the_column_as_a_field_of_each_split(form):
    description = json.loads((await dataset(form))["croissant.json"])
    names = {field["@id"] for records in description["recordSet"] for field in records["field"]}
    assert {"train/relevance", "test/relevance"} <= names


@pytest.mark.parametrize("form", FORMATS)
async def test_a_dataset_of_a_job_that_did_not_ask_has_no_such_column(form):
    files = await dataset(form, optional=())
    for name, data in files.items():
        if name.endswith(".parquet"):
            assert "relevance" not in parquet.ParquetFile(io.BytesIO(data)).schema_arrow.names
        elif name.startswith(("annotations", "croissant")):
            assert b"relevance" not in data, name


def test_a_page_of_nulls_only_is_read_as_such():
    from shared.archiving.texts.parquet import ParquetWriter

    writer = ParquetWriter({"name": str, "score": float}, nullable=("score",))
    data = writer.begin() + writer.add({"name": ["a"] * 9, "score": [None] * 9}) + writer.end()
    table = parquet.read_table(io.BytesIO(data))
    assert table.column("score").null_count == 9
    assert np.all([name == "a" for name in table.column("name").to_pylist()])
