"""Trace contexts, and the order of functions. Docstrings give the line of the contract."""

import json
import re

import pytest

from tests.expect import present

TRACE = """
    @app.route(route="trace")
    def trace(req: func.HttpRequest, context: func.Context) -> str:
        found = context.trace_context
        return json.dumps([found.trace_parent, found.trace_state, req.headers.get("traceparent")])

    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    def work(msg: func.QueueMessage, context: func.Context) -> None:
        note(trace=context.trace_context.trace_parent)
"""
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SPAN = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def test_an_invocation_is_a_span_of_its_own_in_the_callers_trace(app, hosts):
    """H21: the trace context of an invocation is a new span, in the caller's trace where the caller named one."""
    host = hosts(app(TRACE)).start()
    found, state, header = json.loads(host.get("/api/trace", {"traceparent": PARENT, "tracestate": "a=b"})[1])
    trace, span, flags = present(SPAN.fullmatch(found)).groups()
    assert (trace, flags) == (PARENT[3:35], "01")
    assert span not in PARENT
    assert (state, header) == ("a=b", PARENT)


@pytest.mark.parametrize(
    "given", [None, "", "00-x", PARENT.upper(), f"00-{'0' * 32}-{'1' * 16}-01", f"{PARENT}-1"]
)
def test_an_invocation_without_a_valid_parent_is_in_a_trace_of_its_own(app, hosts, given):
    host = hosts(app(TRACE)).start()
    headers = {} if given is None else {"traceparent": given}
    spans = [present(SPAN.fullmatch(json.loads(host.get("/api/trace", headers)[1])[0])) for _ in range(2)]
    assert len({span[1] for span in spans}) == 2


def test_a_message_is_handled_in_a_trace(app, hosts):
    """H22: invocations without a caller have a trace context too, each one of its own."""
    host = hosts(app(TRACE, host={"extensions": {"queues": {"messageEncoding": "none"}}})).start()
    host.send("a", "b")
    traces = {present(SPAN.fullmatch(row["trace"]))[1] for row in host.seen(2, "trace")}
    assert len(traces) == 2


def test_functions_are_in_order_of_their_names_in_upper_case(app, hosts):
    """H23: functions are in ordinal order of their names in upper case: an underscore comes after letters."""
    names = ["thing_s", "things", "Thing", "thing2", "a_b", "aB", "Ab1"]
    code = "".join(
        f"""
    @app.route(route="{{word}}")
    def {name}(req: func.HttpRequest) -> str:
        return "{name}"
"""
        for name in names
    )
    host = hosts(app(code)).start()
    listed = [item["name"] for item in json.loads(host.get("/admin/functions")[1])]
    assert listed == ["aB", "Ab1", "a_b", "Thing", "thing2", "things", "thing_s"]
    assert host.get("/api/anything") == (200, "aB")
