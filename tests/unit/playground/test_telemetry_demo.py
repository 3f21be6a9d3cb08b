"""The demo of telemetry ends well only if everything has arrived, in whole trees."""

from typing import Any

import pytest

from playground.telemetry_demo import TelemetryDemoError, _show
from tests.unit.playground.test_operation_tree import TRACE, event, request

JOB = {"id": "j1", "state": "completed"}
NIGHT = "c" * 32


@pytest.fixture
def whole() -> list[dict[str, Any]]:
    night = request("n1", trace=NIGHT)
    night["data"]["baseData"] |= {"name": "lifecycle", "responseCode": "0"}
    return [request("s1"), event("job_completed", "s1", 5), night, event("x", "n1", 6, {}, trace=NIGHT)]


def test_the_trees_of_the_job_and_of_the_night_are_printed(
    whole: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    _show(whole, {"mine": JOB})
    assert capsys.readouterr().out.splitlines() == [
        "",
        "Job j1, completed, X-Correlation-ID mine",
        f"operation {TRACE}",
        "request submit_job                               201  0.034 s",
        "└─ event job_completed",
        "",
        f"Night, operation {NIGHT}",
        "request lifecycle                                0.034 s",
        "└─ event x",
        "",
        "4 items in 2 operations. Every parent has arrived, and each job is one tree.",
    ]


@pytest.mark.parametrize(
    ("lost", "fault"),
    [(0, "there is no parent s1"), (1, "job_completed of j1 has not arrived"), (2, "there is no parent n1")],
)
def test_what_is_missing_fails_the_demo(whole: list[dict[str, Any]], lost: int, fault: str) -> None:
    del whole[lost]
    with pytest.raises(TelemetryDemoError, match=fault):
        _show(whole, {"mine": JOB})


def test_a_night_that_is_missing_fails_the_demo(whole: list[dict[str, Any]]) -> None:
    with pytest.raises(TelemetryDemoError, match="nightly run has not arrived"):
        _show(whole[:2], {"mine": JOB})


def test_an_item_without_the_callers_correlation_id_fails_the_demo(whole: list[dict[str, Any]]) -> None:
    foreign = event("x", "s1", 7, {"correlation_id": "another's"})
    with pytest.raises(TelemetryDemoError, match="event x has the correlation id another's"):
        _show([*whole, foreign], {"mine": JOB})
