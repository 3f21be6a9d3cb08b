"""A block of data or text that is wrong on purpose is found."""

import pytest

from tests.documents.reading.blocks import Block, WrongBlock
from tests.documents.shown.data import check_data, check_messages
from tests.documents.shown.texts import check_text
from tests.unit.insights.tables import check_names


def block(language, text, shows="", page="docs/page.md"):
    return Block(page, 1, language, text, {"shows": shows})


@pytest.mark.parametrize(
    ("language", "text", "shows"),
    [
        ("json", '{"keywords": ["a"], "max_image": 3}', "spec"),
        ("yaml", "keywords: a", "spec"),
        ("json", '{"keywords": ["a"]', "spec"),
        ("json", '{"type": "urls"}', "source"),
        ("json", '{"type": "absent"}', "source"),
        ("json", '{"id": "a", "state": "completed"}', "JobAnswer"),
        ("json", '{"name": "Ann", "rank": 1}', "CreateUserBody"),
        ("json", '{"title": "t"}', "Problem"),
        ("json", '{"outcome": "kept"}', "record"),
        ("json", '{"region": 3}', "prices"),
        ("json", '{"Values": {"NO_SUCH_SETTING": "1"}}', "settings"),
        ("json", '{"images": []}', "image list"),
        ("json", '{"dataset_id": "a", "links": {}}', "data of dataset.rehydrated"),
        ("toml", "[project]\nname = 1", "entry point"),
        ("json", "{}", "something else"),
    ],
)
def test_wrong_data_is_found(language, text, shows):
    with pytest.raises(WrongBlock):
        check_data(block(language, text, shows))


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("no arrows", "diagram"),
        ("above > below", "diagram"),
        ("a ──> crawl-absent", "diagram"),
        ("functions\nshared.wiring\n", "layers"),
        ("shared/\n  absent/\n", "folders"),
        ("absent.py   text\n", "folders"),
        ("python -m devhost [--root DIR] [--absent]", "options of devhost"),
        ("├─ event absent_event\n", "operation"),
        ("no signals", "operation"),
        ("make --output-file=absent.txt", "how files were made"),
        ("text", "something else"),
    ],
)
def test_a_wrong_text_is_found(text, shows):
    with pytest.raises(WrongBlock):
        check_text(block("text", text, shows))


@pytest.mark.parametrize(
    "text", ["AppAbsent | take 1", 'AppEvents | where Name == "absent"', "AppEvents | project Absent"]
)
def test_a_wrong_query_is_found(text):
    with pytest.raises((AssertionError, KeyError, ValueError)):
        check_names(text)


@pytest.mark.parametrize(
    "text", ["SendMessageAsync();", '"""{"keywords": []}"""', '"""{"images": "a"}"""', '"""{]"""']
)
def test_a_program_with_a_wrong_message_is_found(text):
    with pytest.raises(WrongBlock):
        check_messages(block("csharp", text))


def test_a_program_with_a_right_message_is_accepted():
    check_messages(
        block("csharp", 'await queue.SendMessageAsync("""{"job_id": "a", "keywords": ["cat"]}""");')
    )
