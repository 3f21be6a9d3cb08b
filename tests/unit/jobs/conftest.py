"""The whole flow of a job, for each test a new one."""

import pytest

from shared.sources.source import SourceKind
from tests.unit.jobs.discovery.searching import Search, SearchConfig
from tests.unit.jobs.simulation import Flow


@pytest.fixture
def flow() -> Flow:
    return Flow()


@pytest.fixture
def search(flow: Flow) -> type[Search]:
    """The source `search`, which notes what it is asked for."""
    flow.kinds["search"] = SourceKind(SearchConfig, Search)
    Search.asked.clear()
    Search.contexts.clear()
    return Search
