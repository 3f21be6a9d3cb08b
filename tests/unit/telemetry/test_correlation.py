"""The trace that an operation belongs to."""

from shared.telemetry.correlation import current_operation, operation


def test_trace_context_is_taken_over_only_when_it_is_valid():
    with operation("x", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01") as child:
        assert child.trace_id == "a" * 32
        assert child.parent_id == "b" * 16
        assert child.traceparent.startswith(f"00-{child.trace_id}-")
        assert current_operation() is child
    for bad in ("", "00-" + "0" * 32 + "-" + "b" * 16 + "-01", "nonsense", None):
        with operation("x", traceparent=bad, correlation_id="bad id\n") as root:
            assert root.parent_id == ""
            assert root.correlation_id == root.trace_id
    assert current_operation() is None
