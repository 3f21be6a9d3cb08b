"""The documents look the same on GitHub and on their site, whose Markdown needs more distance and wider indents."""

import itertools
import re

import pytest

from infra.site.repository import OUTSIDE
from tests.unit.documents.markdown import documents, text_of

_CODE = re.compile(r"^( *)```.*?^\1```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_ITEM = re.compile(r"( *)(?:[-*+]|\d+\.) ")
_ELEMENT = re.compile(r"<[a-z/][^>]*>", re.IGNORECASE)
PAGES = [document for document in documents() if document.startswith("docs/") or document in OUTSIDE]


def lines_of(document: str) -> list[str]:
    """Returns a document's lines, with the same letter in place of each letter of code."""
    return _CODE.sub(lambda code: re.sub(r"\S", "x", code[0]), text_of(document)).splitlines()


@pytest.mark.parametrize("document", PAGES)
def test_a_list_begins_after_an_empty_line(document: str) -> None:
    lines = lines_of(document)
    found = [
        line
        for before, line in itertools.pairwise(lines)
        if _ITEM.match(line) and before and not _ITEM.match(before) and not before.startswith((" ", "#"))
    ]
    assert not found


@pytest.mark.parametrize("document", PAGES)
def test_a_list_in_a_list_is_indented_by_four_spaces(document: str) -> None:
    found = [line for line in lines_of(document) if (item := _ITEM.match(line)) and len(item[1]) % 4]
    assert not found


@pytest.mark.parametrize("document", PAGES)
def test_text_in_angle_brackets_is_code(document: str) -> None:
    """Elsewhere it would become an element of the page. A place for cards has the only element that we write."""
    known = {"</div>", '<div class="grid cards" markdown>'}
    elements = {element for line in lines_of(document) for element in _ELEMENT.findall(line)}
    assert not {element for element in elements if "://" not in element} - known
