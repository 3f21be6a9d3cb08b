"""The trace of an operation, and the origin that its messages carry."""

import pytest

from shared.telemetry.correlation import (
    NO_ORIGIN,
    Origin,
    current_operation,
    current_origin,
    operation,
    origin_within,
)

TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
OTHER = "00-" + "c" * 32 + "-" + "d" * 16 + "-01"


def test_an_operation_runs_within_the_span_that_its_caller_reports():
    with operation("x", traceparent=TRACE, correlation_id="mine-1") as found:
        assert (found.trace_id, found.span_id, found.parent_id) == ("a" * 32, "b" * 16, "")
        assert not found.own_span
        assert found.origin == Origin(TRACE, "mine-1")
        assert current_operation() is found
    assert current_operation() is None


def test_a_span_of_its_own_hangs_under_the_one_that_it_follows():
    with operation("x", traceparent=TRACE, own_span=True) as found:
        assert (found.trace_id, found.parent_id) == ("a" * 32, "b" * 16)
        assert found.own_span
        assert found.span_id not in {"", "b" * 16}
        assert found.origin == Origin(f"00-{'a' * 32}-{found.span_id}-01", "a" * 32)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        None,
        "00-" + "0" * 32 + "-" + "b" * 16 + "-01",
        "00-" + "a" * 32 + "-" + "0" * 16 + "-01",
        TRACE.upper(),
        TRACE + "\n",
    ],
)
def test_what_is_no_trace_context_begins_a_trace_with_a_span_of_its_own(text):
    with operation("x", traceparent=text) as found:
        assert found.own_span
        assert found.parent_id == ""
        assert found.trace_id != "a" * 32


@pytest.mark.parametrize("text", ["bad id\n", "", "x" * 65, "ü", None])
def test_a_correlation_id_that_is_not_safe_is_replaced(text):
    with operation("x", traceparent=TRACE, correlation_id=text) as found:
        assert found.correlation_id == "a" * 32


def test_parts_of_a_job_stay_in_its_trace_also_if_a_timer_sends_them_on():
    started = Origin(TRACE, "mine")
    assert current_origin() == NO_ORIGIN
    assert origin_within(started) == started
    with operation("watchdog", traceparent=OTHER):
        assert origin_within(started) == started
    with operation("crawl_chunk", traceparent=TRACE, correlation_id="mine", own_span=True) as found:
        assert origin_within(started) == found.origin
        assert origin_within(NO_ORIGIN) == NO_ORIGIN
