"""Links between files of the repository lead to pages of the site."""

import pytest

from infra.site.repository import OUTSIDE, resolve_links
from tests.unit.documents.markdown import ROOT


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("reference/api.md", "[a](spec.md#b)", "[a](spec.md#b)"),
        ("reference/api.md", "[a](../explanation/costs.md)", "[a](../explanation/costs.md)"),
        ("explanation/security.md", "[a](../../SECURITY.md)", "[a](../contributing/security.md)"),
        ("explanation/x.md", "[a](../../README.md#try-it)", "[a](../index.md#try-it)"),
        ("contributing/index.md", "[a](docs/reference/spec.md#b)", "[a](../reference/spec.md#b)"),
        ("contributing/devhost.md", "[a](../CONTRIBUTING.md)", "[a](index.md)"),
        ("contributing/index.md", "![a](docs/images/a.png)", "![a](../images/a.png)"),
        ("reference/api.md", "[`a` b](spec.md)", "[`a` b](spec.md)"),
        ("reference/api.md", "[a](#b)", "[a](#b)"),
        ("reference/api.md", "[a](https://example.org/x.md)", "[a](https://example.org/x.md)"),
    ],
)
def test_a_link_leads_to_the_page_of_a_document(page, text, expected):
    assert resolve_links(text, page) == expected


def test_a_file_that_is_no_page_is_named():
    assert resolve_links("[the template](../../infra/main.bicep)", "how-to/a.md") == (
        "the template (`infra/main.bicep`)"
    )
    assert resolve_links("[`infra/roles.py`](../../infra/roles.py)", "how-to/a.md") == "`infra/roles.py`"


@pytest.mark.parametrize("code", ["`[a](../../README.md)`", "```\n[a](../../README.md)\n```"])
def test_code_stays_as_it_is(code):
    assert resolve_links(f"x {code} y" if code[1] == "[" else code, "reference/a.md").count(code) == 1


def test_the_documents_outside_exist():
    assert [document for document in OUTSIDE if not (ROOT / document).is_file()] == []
