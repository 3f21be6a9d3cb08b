"""The commands and programs of each page run from top to bottom, against a local stack with real photos."""

from pathlib import Path

import pytest

from tests.documents.blocks import Block
from tests.documents.kinds import Kind
from tests.documents.page_run import RUN, page_run, wait_for_jobs
from tests.documents.pages import blocks_of, blocks_of_kinds
from tests.documents.shown import answers
from tests.documents.world import World

_ANSWERS = [block for block in blocks_of_kinds(Kind.SHOWN) if block.marker["shows"] in answers.CHECKS]
_PAGES = sorted({block.page for block in blocks_of_kinds(*RUN)})


@pytest.mark.parametrize("page", _PAGES)
def test_the_blocks_of_a_page_do_what_they_show(page: str, pages_world: World, tmp_path: Path) -> None:
    with page_run(pages_world, tmp_path) as run:
        for block in blocks_of(page):
            run.run(block)
    wait_for_jobs(pages_world)


@pytest.mark.parametrize("block", _ANSWERS, ids=lambda block: block.place)
def test_what_a_page_shows_of_the_running_app_is_what_the_app_does(block: Block, pages_world: World) -> None:
    answers.check_answer(block, pages_world)
