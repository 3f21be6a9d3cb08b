"""Fixtures that all tests share."""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator

import pytest
import uvloop
from hypothesis import HealthCheck, settings
from pytest_asyncio import is_async_test

from playground.azurite import Azurite
from playground.azurite import azurite as run_azurite

# a machine that has much to do may take a second for any example
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

_LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options of the tests.

    `--loop uvloop` runs only the asynchronous tests, on the event loop that the worker has on Azure.
    `--screenshots FOLDER` stores the screenshots that a test makes.
    """
    parser.addoption("--loop", choices=tuple(_LOOPS), default="asyncio", help="the event loop of the tests")
    parser.addoption("--screenshots", default="", help="the folder for screenshots of the dashboard")


def pytest_asyncio_loop_factories(config: pytest.Config) -> dict[str, Callable[[], AbstractEventLoop]]:
    name = str(config.getoption("--loop"))
    return {name: _LOOPS[name]}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects synchronous tests if the loop is not asyncio's, for the option does not change them."""
    if config.getoption("--loop") == "asyncio":
        return
    others = [item for item in items if not is_async_test(item)]
    items[:] = [item for item in items if is_async_test(item)]
    config.hook.pytest_deselected(items=others)


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One Azurite for all tests of a process. Tests use their own containers, tables and queues."""
    with run_azurite() as running:
        yield running


@pytest.fixture(scope="session")
def connection_string(azurite: Azurite) -> str:
    return azurite.connection_string


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names binary arguments by their parameter. Processes that collect the same tests may make other bytes."""
    return argname if isinstance(val, bytes) and not val.isascii() else None
