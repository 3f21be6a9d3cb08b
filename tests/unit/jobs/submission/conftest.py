"""Lists of users in memory, of whom each may have three."""

import pytest

from shared.jobs.submission import uploaded_list
from shared.jobs.submission.uploaded_list import ListLimits
from shared.jobs.submission.uploaded_lists import UploadedLists
from shared.storage.memory.blobs import MemoryBlobs
from tests.unit.in_memory import memory_storage, runtime_of
from tests.unit.manual_clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def storage(clock):
    return memory_storage(MemoryBlobs(clock))


@pytest.fixture
def lists(storage, clock):
    limits = ListLimits(lists=3, bytes=3 * uploaded_list.MOST_BYTES, unused_days=30)
    return UploadedLists(storage, runtime_of(clock), limits)
