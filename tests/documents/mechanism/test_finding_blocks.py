"""Every block of a page is found, and one that nothing would test is refused."""

import pytest

from tests.documents.reading.blocks import WrongBlock, blocks_in
from tests.documents.reading.kinds import Kind, kind_of

FENCED = "# Title\n\n<!-- shows: spec; file: pets.json -->\n```json\n{}\n```\n"


def one(text):
    [block] = blocks_in("page.md", text)
    return block


def test_a_block_has_its_place_its_language_and_its_marker():
    block = one(FENCED)
    assert (block.place, block.language, block.text) == ("page.md:5", "json", "{}\n")
    assert block.marker == {"shows": "spec", "file": "pets.json"}
    assert kind_of(block) is Kind.SHOWN


@pytest.mark.parametrize(
    "text",
    [
        "- a list\n\n  ```bash\n  true\n  ```\n",
        "> ```bash\n> true\n> ```\n",
        "~~~~ bash\ntrue\n~~~~\n",
        '=== "Shell"\n\n    ```bash\n    true\n    ```\n',
        '!!! note "Shell"\n\n    Text.\n\n    ```bash\n    true\n    ```\n',
    ],
    ids=["list", "quotation", "tildes", "tab", "admonition"],
)
def test_a_block_is_found_wherever_it_stands(text):
    assert (one(text).language, one(text).text) == ("bash", "true\n")


def test_a_block_in_a_tab_has_its_line_on_the_page():
    first = '=== "A"\n\n    ```bash\n    true\n    ```\n'
    second = '=== "B"\n\n    <!-- shows: spec -->\n    ```json\n    {}\n    ```\n'
    found = blocks_in("page.md", f"Text.\n\n{first}\n{second}")
    assert [(block.line, block.language) for block in found] == [(6, "bash"), (13, "json")]
    assert found[1].marker == {"shows": "spec"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Text.\n\n    make demo\n", "page.md:3 is indented code"),
        ("<pre>make demo</pre>\n", "code inside of HTML"),
        ("<details>\n```bash\ntrue\n```\n</details>\n", "code inside of HTML"),
        ("<!-- shows: spec -->\n\nText.\n", "a marker without a block"),
        ("Text. <!-- file: a.py -->\n", "a marker without a block"),
        ("<!-- shows: spec; with: x -->\n```json\n{}\n```\n", "unknown keys"),
        ("<!-- shows: spec; file -->\n```json\n{}\n```\n", "not 'key: value'"),
    ],
)
def test_what_nothing_would_test_is_refused(text, problem):
    with pytest.raises(WrongBlock, match=problem):
        blocks_in("page.md", text)


def test_a_comment_that_is_no_marker_and_a_marker_that_is_shown_as_code_are_text():
    text = "<!-- The table begins here. -->\n\n`<!-- shows: spec -->` is a marker.\n"
    assert blocks_in("page.md", text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("```\nmake demo\n```\n", "no language"),
        ("```powershell\nGet-Item\n```\n", "the language 'powershell'"),
        ("```json\n{}\n```\n", "needs a marker"),
        ("```text\nHello\n```\n", "needs a marker"),
        ("```csv\na,b\n```\n", "the name of the file"),
        ("<!-- shows: spec -->\n```python\n1\n```\n", "'shows' has no meaning"),
    ],
)
def test_a_block_of_no_kind_is_refused(text, problem):
    with pytest.raises(WrongBlock, match=problem):
        kind_of(one(text))
