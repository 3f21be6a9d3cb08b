"""The whole flow of a job, for each test a new one."""

from collections.abc import Iterator

import pytest

from tests.unit.jobs.simulation import Flow, fake_source


@pytest.fixture
def flow() -> Iterator[Flow]:
    with fake_source():
        yield Flow()
