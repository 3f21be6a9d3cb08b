"""The whole flow of a job, for each test a new one."""

from collections.abc import Iterator

import pytest

from shared.sources import registry
from shared.sources.registry import SourceKind
from tests.unit.jobs.discovery.searching import Search, SearchConfig
from tests.unit.jobs.simulation import Flow, fake_source


@pytest.fixture
def flow() -> Iterator[Flow]:
    with fake_source():
        yield Flow()


@pytest.fixture
def search(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> type[Search]:
    """The source `search`, which notes what it is asked for."""
    del flow  # it comes first: it replaces the kinds
    monkeypatch.setitem(registry._KINDS, "search", SourceKind(SearchConfig, Search))
    registry._all_kinds.cache_clear()
    Search.asked.clear()
    Search.contexts.clear()
    return Search
