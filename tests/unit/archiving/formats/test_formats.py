"""Guarantees of every format of datasets."""

from dataclasses import replace
from typing import get_args

import pytest

from shared.archiving.formats.registry import FORMATS
from shared.archiving.options import FormatName, Output, Splits


@pytest.fixture(params=FORMATS)
async def form_and_plan(studio, request):
    output, splits = Output(format=request.param, shard_size=100_000), Splits({"train": 0.5, "test": 0.5})
    order = await studio.crawl(45, output=output, splits=splits)
    return FORMATS[request.param], await studio.archiver.begin(order)


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
