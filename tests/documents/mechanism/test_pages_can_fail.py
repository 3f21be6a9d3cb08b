"""A block that is wrong on purpose fails the run of its page."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.documents.reading.blocks import WrongBlock, blocks_in
from tests.documents.reading.kinds import Kind
from tests.documents.reading.shapes import WrongOutput
from tests.documents.running.jobs import WrongExample
from tests.documents.running.page_run import RUN, page_run
from tests.documents.running.services import Services
from tests.documents.running.world import World


def no_world() -> World:
    """Names without a stack behind them, for blocks that call nothing."""
    storage = SimpleNamespace(connection_string="UseDevelopmentStorage=true")
    stack: Any = SimpleNamespace(url="http://127.0.0.1:9", api_key="admin", azurite=storage)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    return World(Path(), stack, Services("http://127.0.0.1:9", "", Path()), "the-key", "the-dataset", secret)


@pytest.fixture
def run(tmp_path):
    def run(text):
        with page_run(no_world(), tmp_path) as page:
            for block in blocks_in("page.md", text):
                page.run(block)

    return run


def fence(language, text, marker=""):
    return f"{marker}\n```{language}\n{text}\n```\n\n"


def test_the_blocks_of_a_page_share_their_variables_and_their_folder(run):
    run(
        fence("console", "$ name=cat\n$ mkdir -p pets && cd pets")
        + fence("bash", "echo $name > name.txt\ncd ..")
        + fence("python", "name = open('pets/name.txt').read().strip()")
        + fence("python", "print(name, 12)")
        + fence("text", "cat 3", "<!-- shows: output -->")
        + fence("python", "print('from a file')", "<!-- file: train.py -->")
        + fence("console", "$ python train.py\nfrom a file")
        + fence(
            "javascript", "if (connectionString !== 'UseDevelopmentStorage=true') throw new Error('other')"
        )
    )


def test_numbers_of_an_exact_output_are_compared(run):
    printed = fence("python", "print('accuracy', 12)")
    right, wrong = (fence("text", f"accuracy {n}", "<!-- shows: exact output -->") for n in (12, 13))
    with pytest.raises(WrongOutput, match="accuracy 13\n\nThe command printed other numbers"):
        run(printed + right + wrong)


def test_names_of_readers_get_values(run):
    run(
        fence("console", "$ export KEY=…   # printed by make start\n$ echo $KEY ID localhost:7071")
        + fence("text", "the-key the-dataset 127.0.0.1:9", "<!-- shows: output -->")
        + fence("console", '$ echo \'{"id": "9x", "n": 1}\'\n{"id": "d4f6…", …}\n$ test d4f6… = 9x')
    )


@pytest.mark.parametrize(
    "text",
    [
        fence("console", "$ false"),
        fence("console", "$ absent-program"),
        fence("console", "$ false | cat"),
        fence("console", "$ exit 3"),
        fence("console", "$ false; echo"),
        fence("bash", "ls absent.txt\necho"),
        fence("bash", "ls absent.txt"),
        fence("python", "1 / 0"),
        fence("python", "import sys\nsys.exit(0)"),
        fence("python", "print("),
        fence("javascript", "throw new Error('wrong')"),
        fence("javascript", "import { absent } from 'absent-package'"),
        fence("python", "raise SystemExit", "<!-- file: train.py -->")
        + fence("console", "$ python other.py"),
    ],
)
def test_a_block_that_fails_is_found(run, text):
    with pytest.raises(WrongExample):
        run(text)


@pytest.mark.parametrize(
    "text",
    [
        fence("console", "$ echo a\nb"),
        fence("python", "print('a')") + fence("text", "b", "<!-- shows: output -->"),
    ],
)
def test_an_output_that_differs_is_found(run, text):
    with pytest.raises(WrongOutput):
        run(text)


@pytest.mark.parametrize(
    "later",
    ["", fence("python", "print('train.py')", "<!-- file: train.py -->"), fence("csharp", '"""train.py"""')],
)
def test_a_file_that_no_later_program_uses_is_found(run, later):
    with pytest.raises(WrongBlock, match=r"train\.py"):
        run(fence("python", "1 / 0", "<!-- file: train.py -->") + later)


def test_a_page_that_only_has_a_file_is_run():
    assert Kind.FILE in RUN
