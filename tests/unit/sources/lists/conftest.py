"""Fixtures of all tests of lists."""

import pytest


@pytest.fixture(autouse=True)
def _pages_of_rows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents empty pages, which the source yields if reading takes long, as on a slow machine."""
    monkeypatch.setattr("shared.sources.lists.urls._SECONDS_WITHOUT_A_PAGE", 600.0)
