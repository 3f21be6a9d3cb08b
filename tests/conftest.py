"""Fixtures that all tests share."""

from collections.abc import Iterator

import pytest

from playground.azurite import Azurite
from playground.azurite import azurite as run_azurite


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One Azurite for all tests of a process; tests use containers, tables and queues of their own."""
    with run_azurite() as running:
        yield running


@pytest.fixture(scope="session")
def connection_string(azurite: Azurite) -> str:
    return azurite.connection_string
