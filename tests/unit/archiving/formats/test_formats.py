"""Guarantees of every format of datasets."""

from dataclasses import replace
from typing import get_args

import pytest

from shared.archiving.formats.registry import FORMATS, format_of
from shared.archiving.options import AnnotationFormat, FormatName, Output, Splits
from tests.expect import present
from tests.unit.archiving.conftest import make_studio
from tests.unit.in_memory import far_deadline


@pytest.fixture(params=FORMATS)
async def form_and_plan(studio, request):
    output, splits = Output(format=request.param, shard_size=100_000), Splits({"train": 0.5, "test": 0.5})
    order = await studio.crawl(45, output=output, splits=splits)
    return format_of(request.param), await studio.archiver.begin(order, far_deadline())


def test_every_format_that_a_spec_can_name_exists():
    assert set(FORMATS) == set(get_args(FormatName.__value__))


async def test_texts_do_not_change_the_offsets_of_images(form_and_plan):
    form, plan = form_and_plan
    with_texts, without = plan.header.contents, replace(plan.header.contents, texts=())
    assert with_texts.texts
    for file in form.image_files(plan.images, without, 100_000):
        offsets = form.image_offsets(file, plan.images, without).tolist()
        assert offsets == form.image_offsets(file, plan.images, with_texts).tolist()
        assert offsets == sorted(offsets)
        assert len(offsets) == file.end - file.start


async def test_every_image_is_in_one_file_and_every_file_of_images_is_delivered(form_and_plan):
    form, plan = form_and_plan
    files = form.image_files(plan.images, plan.header.contents, 100_000)
    found = [position for file in files for position in range(file.start, file.end)]
    assert found == list(range(len(plan.images)))
    assert [file.name for file in files] == [file.name for file in plan.files if file.kind == "images"]


@pytest.mark.parametrize("form", FORMATS)
async def test_a_dataset_whose_parts_are_written_twice_and_in_any_order_has_the_same_bytes(form):
    found = []
    for backwards in (False, True):
        studio = make_studio()
        output = Output(format=form, shard_size=100_000, annotations=get_args(AnnotationFormat.__value__))
        order = await studio.crawl(200, output=output, splits=Splits({"train": 0.5, "test": 0.5}))
        deadline = far_deadline()
        plan = await studio.archiver.begin(order, deadline)
        parts = await studio.archiver.find_missing(plan)
        for part in [*reversed(parts), parts[0]] if backwards else parts:
            await studio.archiver.write_part(plan, part, deadline)
        archived = present(await studio.archiver.finish(plan, deadline))
        found.append({name: await studio.blobs.get(name) for name in archived.blobs})
    assert found[0] == found[1]


async def test_browsers_and_tools_are_told_what_each_file_is(monkeypatch):
    studio = make_studio()
    order = await studio.crawl(5, output=Output(format="webdataset"))
    deadline = far_deadline()
    plan = await studio.archiver.begin(order, deadline)
    for part in await studio.archiver.find_missing(plan):
        await studio.archiver.write_part(plan, part, deadline)
    types = {}
    commit = studio.blobs.commit

    async def noting(name, blocks, attributes):
        types[name.rpartition("/")[2]] = attributes.content_type
        await commit(name, blocks, attributes)

    monkeypatch.setattr(studio.blobs, "commit", noting)
    await studio.archiver.finish(plan, deadline)
    assert types["report.html"] == "text/html; charset=utf-8"
    assert types["metadata.parquet"] == "application/vnd.apache.parquet"
    assert types["README.md"] == "text/markdown; charset=utf-8"
    assert types["CONSENT.jsonl"] == "text/plain; charset=utf-8"
    assert {kind for name, kind in types.items() if name.endswith(".tar")} == {"application/x-tar"}
