"""Datasets deliver embeddings where NumPy, Hugging Face, DuckDB, Polars and pandas find them, each at its image."""

import io
import json
from dataclasses import replace

import datasets
import duckdb
import mlcroissant
import numpy as np
import pandas as pd
import polars as pl
import pytest

from shared.archiving.formats.registry import FORMATS
from shared.archiving.options import Dedup, Output, Splits
from shared.records.delivered import read_lines
from shared.records.embeddings import decode_embedding, encode_embedding
from shared.records.records import Kept, decode_records, encode_records

DIMENSIONS = 96
SPLITS = ("train", "test")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def vector_of(index, dimensions=DIMENSIONS):
    vector = np.random.default_rng(index).normal(size=dimensions).astype(np.float32)
    return vector / np.linalg.norm(vector)


def of_most(index):
    """Every seventh image has no embedding, and every eleventh one has one by an older model."""
    if index % 7 == 0:
        return "", ""
    return ("old", encode_embedding(vector_of(index, 48))) if index % 11 == 0 else by_new(index)


def by_new(index):
    return "new", encode_embedding(vector_of(index))


def wanted(index, scored):
    """The row of an image: NaN if the model has given no embedding."""
    if scored(index)[0] != "new":
        return np.full(DIMENSIONS, np.nan, np.float16)
    return vector_of(index).astype(np.float16)


async def embed(studio, order, scored):
    for name in order.record_blobs:
        records = []
        for record in decode_records(await studio.blobs.get(name)):
            if isinstance(record.outcome, Kept):
                scorer, embedding = scored(record.index)
                facts = replace(record.outcome.facts, scorer=scorer, embedding=embedding)
                records.append(replace(record, outcome=replace(record.outcome, facts=facts)))
            else:
                records.append(record)
        await studio.blobs.put(name, encode_records(records))


async def made(studio, form, scored=of_most, *, wants=True):
    """Makes a dataset; returns its order and what the archive step says of it."""
    output = Output(format=form, embeddings=wants, shard_size=100_000, annotations=("csv",))
    splits = Splits({"train": 0.7, "test": 0.3})
    order = await studio.crawl(300, output=output, splits=splits, dedup=Dedup(near_distance=None))
    await embed(studio, order, scored)
    return order, await studio.archive(order)


async def unpacked(studio, dataset, folder):
    """Puts what `made` has returned into a folder, as a person has it."""
    order, archived = dataset
    folder.mkdir()
    for name in archived.blobs:
        (folder / name.rpartition("/")[2]).write_bytes(await studio.blobs.get(name))
    if order.output.format == "zip":
        with await studio.zip(order) as archive:
            archive.extractall(folder)
        (folder / "dataset.zip").unlink()
    return folder


def index_of(name):
    return int(name.rpartition("/")[2].partition(".")[0])


@pytest.mark.parametrize("scored", [of_most, by_new])
async def test_numpy_loads_the_rows_in_the_order_of_the_metadata_of_each_split(studio, tmp_path, scored):
    folder = await unpacked(studio, await made(studio, "zip", scored), tmp_path / "dataset")
    count = 0
    for split in SPLITS:
        names = pd.read_parquet(folder / split / "metadata.parquet")["file_name"]
        found = np.load(folder / split / "embeddings.npy", mmap_mode="r", allow_pickle=False)
        assert found.dtype == np.float16
        rows = np.stack([wanted(index_of(name), scored) for name in names])
        assert np.array_equal(found, rows, equal_nan=True)
        saved = io.BytesIO()
        np.save(saved, rows)
        assert (folder / split / "embeddings.npy").read_bytes() == saved.getvalue()
        count += len(names)
    assert count == 270


async def test_shards_have_one_file_of_embeddings_beside_the_metadata_of_all_splits(studio, tmp_path):
    folder = await unpacked(studio, await made(studio, "webdataset"), tmp_path / "dataset")
    names = pd.read_parquet(folder / "metadata.parquet")["file_name"]
    rows = np.stack([wanted(index_of(name), of_most) for name in names])
    assert np.array_equal(np.load(folder / "embeddings.npy"), rows, equal_nan=True)


def by_hugging_face(folder):
    for streaming in (False, True):
        found = datasets.load_dataset(
            str(folder), streaming=streaming, cache_dir=str(folder.parent / "cache")
        )
        for split in SPLITS:
            if not streaming:
                assert found[split].features["embedding"] == datasets.List(datasets.Value("float32"))
            yield split, [(row["url"], row["embedding"]) for row in found[split]]


def by_duckdb(folder):
    for split in SPLITS:
        found = duckdb.read_parquet(str(folder / f"{split}-*.parquet"))
        assert dict(zip(found.columns, map(str, found.types), strict=True))["embedding"] == "FLOAT[]"
        yield split, found.project("url, embedding").fetchall()


def by_polars(folder):
    for split in SPLITS:
        found = pl.read_parquet(folder / f"{split}-*.parquet")
        assert found.schema["embedding"] == pl.List(pl.Float32)
        yield split, found.select("url", "embedding").rows()


def by_pandas(folder):
    for split in SPLITS:
        tables = [pd.read_parquet(file) for file in sorted(folder.glob(f"{split}-*.parquet"))]
        found = pd.concat(tables)
        yield split, list(zip(found["url"], found["embedding"], strict=True))


@pytest.mark.parametrize("reader", [by_hugging_face, by_duckdb, by_polars, by_pandas])
@pytest.mark.parametrize("scored", [of_most, by_new])
async def test_parquet_shards_have_a_column_of_lists(studio, tmp_path, reader, scored):
    folder = await unpacked(studio, await made(studio, "parquet", scored), tmp_path / "dataset")
    assert len(list(folder.glob("train-*.parquet"))) > 1
    counts = dict.fromkeys(SPLITS, 0)
    for split, rows in reader(folder):
        counts[split] = len(rows)
        for url, vector in rows:
            row = wanted(index_of(url), scored)
            if np.isnan(row).all():
                assert vector is None
            else:
                assert np.array_equal(np.asarray(vector, np.float32), row.astype(np.float32))
    assert sum(counts.values()) == 270


@pytest.mark.usefixtures("croissant_cache")
@pytest.mark.parametrize("form", FORMATS)
async def test_croissant_describes_the_embeddings(studio, tmp_path, form):
    folder = await unpacked(studio, await made(studio, form, by_new), tmp_path / "dataset")
    described = mlcroissant.Dataset(folder / "croissant.json")
    assert not described.metadata.ctx.issues.errors
    files = {node.id for node in described.metadata.file_objects}
    if form == "parquet":
        row = next(iter(described.records("train")))
        assert len(row["train/embedding"]) == DIMENSIONS
    else:
        assert set(FORMATS[form]().embedding_files(SPLITS)) <= files


@pytest.mark.parametrize("form", FORMATS)
async def test_the_card_names_the_model_and_says_how_to_load_the_embeddings(studio, tmp_path, form):
    folder = await unpacked(studio, await made(studio, form), tmp_path / "dataset")
    card = (folder / "README.md").read_text()
    assert "the embedding of each image by the model `new`" in card
    missing = sum(of_most(index)[0] != "new" for index in range(300) if index % 10 != 9)
    assert f"these are {missing} images" in card
    if form != "parquet":
        (line,) = [line for line in card.splitlines() if "numpy.load" in line]
        path = line.partition('"path/to/')[2].partition('"')[0]
        code = line.replace("path/to/", f"{folder}/")
        names: dict[str, np.ndarray] = {}
        exec(f"import numpy\n{code}", names)  # noqa: S102 - the card's own example
        assert names["embeddings"].dtype == np.float32
        assert (folder / path).exists()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("scored", "wants"), [(of_most, False), (lambda _: ("", ""), True)])
async def test_a_dataset_without_embeddings_has_no_trace_of_them(studio, tmp_path, form, scored, wants):
    folder = await unpacked(studio, await made(studio, form, scored, wants=wants), tmp_path / "dataset")
    assert not list(folder.rglob("*.npy"))
    assert "embedding of each image" not in (folder / "README.md").read_text()
    for file in folder.glob("train-*.parquet"):
        assert "embedding" not in pl.read_parquet_schema(file)


async def test_records_have_the_embeddings_of_delivered_images_for_a_refresh(studio):
    _, archived = await made(studio, "zip")
    count = 0
    async for lines in read_lines(studio.blobs.stream(archived.records_blob), "1"):
        for line in map(json.loads, lines):
            if line["outcome"] == "kept":
                scorer, embedding = of_most(line["index"])
                assert (line.get("scorer", ""), line.get("embedding", "")) == (scorer, embedding)
                assert not embedding or decode_embedding(embedding).dtype == np.float16
                count += 1
    assert count == 270
