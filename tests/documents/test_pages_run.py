"""The commands and programs of each page run from top to bottom, against a local stack with real photos."""

from pathlib import Path

import pytest

from tests.documents.reading.blocks import Block, WrongBlock, blocks_in
from tests.documents.reading.kinds import Kind
from tests.documents.reading.pages import blocks_of, blocks_of_kinds
from tests.documents.reading.shapes import WrongOutput
from tests.documents.running.jobs import WrongExample, wait_for_jobs, wait_for_messages
from tests.documents.running.page_run import RUN, page_run, sent_ids
from tests.documents.running.world import World
from tests.documents.shown import answers

# a busy machine takes longer
pytestmark = pytest.mark.timeout(300)

_ANSWERS = [block for block in blocks_of_kinds(Kind.SHOWN) if block.marker["shows"] in answers.CHECKS]
_PAGES = sorted({block.page for block in blocks_of_kinds(*RUN)})


@pytest.mark.parametrize("page", _PAGES)
def test_the_blocks_of_a_page_do_what_they_show(page: str, pages_world: World, tmp_path: Path) -> None:
    has_torch = any("torch" in block.text for block in blocks_of(page))
    with page_run(pages_world, tmp_path, has_torch=has_torch) as run:
        for block in blocks_of(page):
            run.run(block)
    wait_for_messages(pages_world, {name for block in blocks_of(page) for name in sent_ids(block)})


@pytest.mark.parametrize("block", _ANSWERS, ids=lambda block: block.place)
def test_what_a_page_shows_of_the_running_app_is_what_the_app_does(block: Block, pages_world: World) -> None:
    answers.check_answer(block, pages_world)


@pytest.mark.parametrize(
    ("shows", "language", "text"),
    [
        ("headers of an answer", "http", 'HTTP/1.1 200 OK\nRateLimit-Policy: "key";q=60;w=60\n'),
        ("headers of an answer", "http", "HTTP/1.1 200 OK\nRateLimit-Absent: …\n"),
        ("start report", "text", "Services at the start, Azure: healthy. tables absent.\n"),
        ("event", "json", '{"type": "job.completed", "data": {"absent": 1}}'),
        ("blob names", "text", "datasets/job_{id}/other.zip\n"),
    ],
)
def test_a_wrong_block_about_the_running_app_is_found(
    shows: str, language: str, text: str, pages_world: World
) -> None:
    with pytest.raises((WrongBlock, WrongOutput)):
        answers.check_answer(Block("page.md", 1, language, text, {"shows": shows}), pages_world)


@pytest.mark.parametrize(
    "text",
    [
        '```console\n$ curl -s localhost:7071/api/v1/jobs/absent -H "X-API-Key: $KEY"\n```\n',
        "```console\n$ curl -s localhost:7071/api/v1/jobs\n```\n",
        "```console\n$ pixcrawler show absent\n```\n",
        '```python\nfrom pixcrawler import Client\nClient.from_login().submit({"keyword": ["cat"]})\n```\n',
    ],
    ids=["no such job", "no key", "command", "client"],
)
def test_a_call_that_the_app_refuses_fails_its_page(text: str, pages_world: World, tmp_path: Path) -> None:
    [block] = blocks_in("page.md", text)
    with page_run(pages_world, tmp_path) as run, pytest.raises(WrongExample):
        run.run(block)


def test_no_job_of_a_page_fails(pages_world: World) -> None:
    """It runs last. A message that the app refuses is a failed job, too."""
    wait_for_jobs(pages_world)
