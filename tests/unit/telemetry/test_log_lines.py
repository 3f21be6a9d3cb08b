"""Log lines: JSON on Azure, readable locally, with the ids of the operation, and without secrets."""

import json
import logging

import pytest

from shared.settings import Settings
from shared.telemetry.correlation import operation
from shared.telemetry.log_lines import JsonLines, LogLines
from shared.wiring.process.logs import set_up_logs

TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


def _record(text="It is done.", *args, name="shared.jobs", exc_info=None):
    return logging.LogRecord(name, logging.WARNING, "x.py", 1, text, args, exc_info)


def _failure():
    try:
        float("https://host/x?sig=secret")
    except ValueError as error:
        return type(error), error, error.__traceback__


def test_a_line_on_azure_is_one_json_object_with_the_ids_of_its_operation():
    with operation("crawl_chunk", traceparent=TRACE, correlation_id="mine", job_id="job-1"):
        line = JsonLines().format(_record("Chunk %d\nis done.", 7, exc_info=_failure()))
    assert "\n" not in line
    found = json.loads(line)
    assert found.pop("time").endswith("+00:00")
    assert "ValueError" in found.pop("stack")
    assert found == {
        "level": "WARNING",
        "logger": "shared.jobs",
        "message": "Chunk 7\nis done.",
        "function": "crawl_chunk",
        "correlation_id": "mine",
        "operation_id": "a" * 32,
        "job_id": "job-1",
    }


class NoText:
    def __str__(self):
        raise RuntimeError("There is no text.")


@pytest.mark.parametrize(
    ("text", "values"), [("of %s", (NoText(),)), ("of %d", ("x",)), ("of %s", (1, 2)), (NoText(), ())]
)
@pytest.mark.parametrize("lines", [LogLines, JsonLines])
def test_a_line_whose_values_cannot_be_written_fails_no_code(lines, text, values):
    line = lines().format(_record(text, *values))
    assert ("of %" if values else "NoText") in line
    assert "(its values cannot be written)" in line


def test_a_line_outside_of_all_operations_has_no_ids():
    assert json.loads(JsonLines().format(_record())).keys() == {"time", "level", "logger", "message"}
    assert LogLines().format(_record()) == "It is done."


def test_a_local_line_has_its_ids_behind_the_message():
    with operation("get_job", traceparent=TRACE, correlation_id="mine"):
        line = LogLines().format(_record(exc_info=_failure()))
    first, _, stack = line.partition("\n")
    assert first == f"It is done. [function=get_job, correlation_id=mine, operation_id={'a' * 32}]"
    assert stack.startswith("Traceback")


@pytest.mark.parametrize("lines", [LogLines, JsonLines])
def test_lines_hold_no_queries_and_no_keys(lines):
    text = lines().format(_record("See https://host/x?sig=secret AccountKey=secret", exc_info=_failure()))
    assert "secret" not in text
    assert "https://host/x" in text


def test_lines_of_the_worker_itself_stay_as_they_are():
    before = logging.Formatter("as ever: %(message)s")
    assert JsonLines(before).format(_record(name="azure_functions_runtime.x")) == "as ever: It is done."


@pytest.fixture
def root():
    """The root logger with a handler as the worker adds it. Its levels are restored at the end."""
    logger, handler = logging.getLogger(), logging.StreamHandler()
    levels = {
        name: logging.getLogger(name).level for name in ("functions", "shared", "pixcrawler_sources", "azure")
    }
    formatters = {found: found.formatter for found in logger.handlers}
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
    for found, formatter in formatters.items():
        found.setFormatter(formatter)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize(
    ("name", "lines"), [({"website_instance_id": "i"}, JsonLines), ({}, LogLines)], ids=["azure", "local"]
)
def test_the_handlers_that_are_there_write_the_lines_and_no_handler_is_added(root, name, lines):
    before = list(logging.getLogger().handlers)
    for _ in range(2):
        set_up_logs(Settings(log_level="DEBUG", **name))
    assert logging.getLogger().handlers == before
    assert type(root.formatter) is lines
    assert logging.getLogger("shared.jobs").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("azure.core").isEnabledFor(logging.INFO)
