import pytest

from shared.archiving.planning.planner import PlanConfig
from tests.unit.jobs.archive_step.parts import CountedFlow


@pytest.fixture
def parts():
    """The flow with blocks of 1 KB and parts of 8 KB, so that a small dataset has many parts."""
    return CountedFlow(PlanConfig(part_bytes=8192, block_bytes=1024))


@pytest.fixture
def many_parts():
    """The flow with an archive of some hundred parts."""
    return CountedFlow(PlanConfig(part_bytes=512, block_bytes=512))
