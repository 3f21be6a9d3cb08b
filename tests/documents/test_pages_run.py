"""The commands and programs of each page run from top to bottom, against a local stack with real photos."""

import re
from pathlib import Path

import pytest

from tests.documents.reading.blocks import Block
from tests.documents.reading.kinds import Kind
from tests.documents.reading.pages import blocks_of, blocks_of_kinds
from tests.documents.running.page_run import RUN, page_run, wait_for_jobs
from tests.documents.running.world import World
from tests.documents.shown import answers

# a busy machine takes longer
pytestmark = pytest.mark.timeout(300)

_ANSWERS = [block for block in blocks_of_kinds(Kind.SHOWN) if block.marker["shows"] in answers.CHECKS]
_JOB_ID = re.compile(r'\bjob_id"?: "([\w-]+)"')
_PAGES = sorted({block.page for block in blocks_of_kinds(*RUN)})


@pytest.mark.parametrize("page", _PAGES)
def test_the_blocks_of_a_page_do_what_they_show(page: str, pages_world: World, tmp_path: Path) -> None:
    with page_run(pages_world, tmp_path) as run:
        for block in blocks_of(page):
            run.run(block)


@pytest.mark.parametrize("block", _ANSWERS, ids=lambda block: block.place)
def test_what_a_page_shows_of_the_running_app_is_what_the_app_does(block: Block, pages_world: World) -> None:
    answers.check_answer(block, pages_world)


def test_each_message_of_a_page_becomes_a_job_and_no_job_of_a_page_fails(pages_world: World) -> None:
    """It runs last, when the app has received all messages."""
    wait_for_jobs(pages_world)
    sent = {name for block in blocks_of_kinds(*RUN) for name in _JOB_ID.findall(block.text)}
    assert sent
    for name in sent:
        job = pages_world.call("GET", f"/api/v1/jobs/{name}", key=pages_world.stack.api_key)
        assert job["state"] == "completed", job
