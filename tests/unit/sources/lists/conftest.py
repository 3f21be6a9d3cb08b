"""What all tests of lists share."""

import pytest


@pytest.fixture(autouse=True)
def _pages_of_rows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no slow machine add empty pages, which the source gives while reading takes long."""
    monkeypatch.setattr("shared.sources.lists.urls._SECONDS_WITHOUT_A_PAGE", 600.0)
