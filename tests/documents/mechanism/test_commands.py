"""Commands and their outputs are told apart, and what is no command is refused."""

import pytest

from tests.documents.reading.blocks import Block, WrongBlock
from tests.documents.reading.commands import commands_in


def commands(text, language="console"):
    return [(each.line, each.text, each.output) for each in commands_in(Block("page.md", 10, language, text))]


def test_commands_have_their_outputs():
    assert commands("$ echo a\na\n\nb\n$ true\n") == [(10, "echo a", "a\n\nb"), (14, "true", "")]


@pytest.mark.parametrize(
    "text",
    [
        "curl a \\\n    -d b",
        "curl -d '{\n  \"a\": 1\n}'",
        "cat <<END\na\nEND",
        "for n in 1 2; do\n  echo $n\ndone",
    ],
    ids=["backslash", "quotation", "here-document", "loop"],
)
def test_a_command_ends_where_bash_says_so(text):
    assert commands(f"$ {text}\nan output\n") == [(10, text, "an output")]


def test_a_prompt_of_continued_lines_is_no_part_of_the_command():
    assert commands("$ echo a \\\n> b\na b\n") == [(10, "echo a \\\nb", "a b")]


def test_a_block_of_bash_is_one_command():
    assert commands("a=1\necho $a\n", "bash") == [(10, "a=1\necho $a\n", "")]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("echo a\n", "console"),
        ("$ echo 'a\n", "console"),
        ("$ if true\n$ fi\n", "console"),
        ("done\n", "bash"),
    ],
)
def test_what_is_no_command_is_refused(text, language):
    with pytest.raises(WrongBlock):
        commands(text, language)
