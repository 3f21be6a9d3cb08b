"""A new flow of jobs for each test."""

import pytest

from shared.sources.source import SourceKind
from tests.unit.jobs.discovery.searching import Search, SearchConfig
from tests.unit.jobs.simulation import Flow


@pytest.fixture
def flow() -> Flow:
    return Flow()


@pytest.fixture
def search(flow: Flow) -> type[Search]:
    """The source `search`, which records the requests for pages."""
    flow.kinds["search"] = SourceKind(SearchConfig, Search)
    Search.asked.clear()
    Search.contexts.clear()
    return Search
