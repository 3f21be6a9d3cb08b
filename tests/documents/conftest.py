"""One world for the pages of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents.running.world import World, world


@pytest.fixture(scope="module")
def pages_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(Path(tmp_path_factory.mktemp("world"))) as running:
        yield running
