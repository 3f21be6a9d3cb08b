"""The levels of the loggers in a worker, whose root logger lets INFO pass."""

import logging

import pytest

from shared.settings import Settings
from shared.wiring.process.logs import set_up_logs

OURS = ("functions.http.endpoints.jobs", "shared.jobs.intake")
LIBRARIES = (
    "azure.core.pipeline.policies.http_logging_policy",
    "opencensus.ext.azure",
    "urllib3.connectionpool",
)
PARENTS = ("functions", "shared", "azure", "opencensus", "urllib3")


@pytest.fixture(autouse=True)
def worker():
    """Loggers without levels of their own, below the worker's root logger."""
    loggers = [logging.getLogger(), *map(logging.getLogger, PARENTS)]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.NOTSET)
    logging.getLogger().setLevel(logging.INFO)
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


@pytest.mark.parametrize(("level", "passes"), [("DEBUG", 10), ("INFO", 20), ("WARNING", 30), ("ERROR", 40)])
def test_the_app_logs_from_the_level_in_the_settings_on(level, passes):
    set_up_logs(Settings(log_level=level))
    for name in OURS:
        assert logging.getLogger(name).isEnabledFor(passes)
        assert not logging.getLogger(name).isEnabledFor(passes - 1)


@pytest.mark.parametrize("level", ["DEBUG", "ERROR"])
def test_libraries_log_warnings_and_errors_only_at_any_level_of_the_app(level):
    set_up_logs(Settings(log_level=level))
    for name in LIBRARIES:
        assert logging.getLogger(name).isEnabledFor(logging.WARNING)
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)


def test_other_loggers_keep_their_levels():
    set_up_logs(Settings(log_level="ERROR"))
    assert logging.getLogger("another").getEffectiveLevel() == logging.INFO
