"""Small blocks, and a dataset that a small app serves."""

import pytest

from pixcrawler.downloads import segments
from pixcrawler.streaming import blocks
from tests.client.conftest import StoredFile
from tests.client.streaming.served import COUNT, make, records_of, serve


@pytest.fixture(autouse=True)
def _small_blocks_and_no_waits(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2_000)
    monkeypatch.setattr(segments, "FIRST_WAIT_SECONDS", 0.001)


@pytest.fixture
def stored(app) -> StoredFile:
    content, lines = make(COUNT, 200)
    return serve(app, content, records_of(lines))
