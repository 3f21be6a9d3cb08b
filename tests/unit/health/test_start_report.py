"""The health of the services is logged once, within an invocation, and delays no invocation."""

import asyncio
import logging
import threading

import pytest

from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.health.health import Check, Finding, Health, HealthStatus, Part
from shared.health.probe import HealthProbe
from shared.health.start_report import StartReport, start_line
from tests.expect import present


def wait_for(event: threading.Event) -> None:
    event.wait()


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger="shared.health")
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records]


async def test_the_first_invocation_that_ends_after_the_check_logs_it_and_no_other(lines):
    may_answer = asyncio.Event()
    count = 0

    async def ask():
        nonlocal count
        count += 1
        await may_answer.wait()
        return Finding("2 in crawl-jobs-poison.")

    imports = threading.Event()
    report = StartReport(
        HealthProbe([Part("queues", ask)], SystemClock()), "Azure Functions", lambda: wait_for(imports)
    )
    with report.during_invocation():
        pass
    await asyncio.sleep(0)
    assert (lines(), count) == ([], 0)
    imports.set()
    may_answer.set()
    with report.during_invocation():
        await present(report._checking)
        assert lines() == []
    with report.during_invocation():
        pass
    told = "Services at the start, Azure Functions: degraded. queues degraded (2 in crawl-jobs-poison)."
    assert (lines(), count) == ([("WARNING", told)], 1)


@pytest.mark.parametrize(
    ("error", "level", "told"),
    [
        (None, "INFO", "healthy. blob container healthy ("),
        (
            Unavailable("It did not answer."),
            "ERROR",
            "unhealthy. blob container unhealthy (It did not answer).",
        ),
    ],
)
async def test_the_level_of_the_line_is_that_of_the_verdict(lines, error, level, told):
    async def ask():
        if error:
            raise error
        return Finding()

    probe = HealthProbe([Part("blob_container", ask)], SystemClock())
    report = StartReport(probe, "local", lambda: None)
    with pytest.raises(KeyError), report.during_invocation():  # noqa: PT012 - the block is an invocation that fails
        await present(report._checking)
        raise KeyError
    [(found, line)] = lines()
    assert found == level
    assert line.startswith(f"Services at the start, local: {told}")


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (None, "healthy. telemetry not set up."),
        ("LOG_LEVEL is wrong", "degraded. telemetry degraded (LOG_LEVEL is wrong)."),
    ],
)
def test_a_part_that_is_not_set_up_shows_its_problem_if_it_has_one(problem, told):
    status = HealthStatus.DEGRADED if problem else HealthStatus.HEALTHY
    check = Check("telemetry", status, 0.1, problem, {"configured": False})
    assert start_line(Health((check,)), "local") == f"Services at the start, local: {told}"
