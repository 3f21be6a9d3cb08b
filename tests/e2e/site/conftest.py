"""The site of the documents, which is built once for all of its tests."""

from pathlib import Path

import pytest

from tests.e2e.site.built_pages import build


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(folder)
    assert built.returncode == 0, built.stderr
    assert "WARNING -" not in built.stderr
    return folder
