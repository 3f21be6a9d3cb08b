"""From the call that submits a job to its dataset, all runs of functions are one tree of spans."""

import json

import pytest

from shared.jobs.job.messages import ARCHIVES_QUEUE, JOBS_QUEUE, WEBHOOKS_QUEUE, read_envelope
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission
from shared.telemetry.correlation import Origin, operation
from tests.unit.jobs.simulation import Flow

POST = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
RETRY = "00-" + "c" * 32 + "-" + "d" * 16 + "-01"
TIMER = "00-" + "e" * 32 + "-" + "f" * 16 + "-01"
SPEC = {
    "keywords": ["cat", "dog"],
    "sources": [{"type": "fake", "total": 60}],
    "webhook_url": "https://owner.example/done",
}


class Spans:
    """Handles messages as the functions do: each in a span of its own, below the span that the message names."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.parents: dict[str, str] = {}
        self.queues: dict[str, str] = {}
        self.correlation_ids: set[str] = set()
        self.traces: set[str] = set()

    async def run(self) -> None:
        while taken := self.flow.take():
            for queue, text in taken:
                await self.handle(queue, text)

    async def handle(self, queue: str, text: str, host: str = TIMER) -> None:
        origin = read_envelope(text).origin
        with operation(
            queue,
            traceparent=origin.traceparent or host,
            correlation_id=origin.correlation_id,
            own_span=True,
        ) as span:
            self.parents[span.span_id] = span.parent_id
            self.queues[span.span_id] = queue
            self.correlation_ids.add(span.correlation_id)
            self.traces.add(span.trace_id)
            await self.flow.handle(queue, text)


@pytest.fixture
def flow():
    return Flow()


async def _submit(flow):
    with operation("submit_job", traceparent=POST, correlation_id="mine"):
        return await flow.submit.run(Submission("admin", flow.specs.parse(SPEC)))


async def test_each_run_hangs_under_the_run_or_the_call_that_sent_its_message(flow):
    job = await _submit(flow)
    spans = Spans(flow)
    await spans.run()
    assert (await flow.job(job)).state is State.COMPLETED
    assert spans.traces == {"a" * 32}
    assert spans.correlation_ids == {"mine"}
    assert set(spans.parents.values()) <= {*spans.parents, "b" * 16}
    roots = [spans.queues[span] for span, parent in spans.parents.items() if parent == "b" * 16]
    assert roots == [JOBS_QUEUE]
    [archive] = [span for span, queue in spans.queues.items() if queue == ARCHIVES_QUEUE]
    announced, called = [span for span, queue in spans.queues.items() if queue == WEBHOOKS_QUEUE]
    assert spans.queues[spans.parents[archive]] == "crawl-chunks"
    assert spans.parents[announced] == archive
    assert spans.parents[called] == announced
    [request] = flow.web.sent
    assert request.headers["traceparent"] == f"00-{'a' * 32}-{called}-01"
    assert request.headers["x-correlation-id"] == "mine"


async def test_what_a_timer_or_another_call_sends_on_stays_in_the_trace_of_the_job(flow):
    job = await _submit(flow)
    flow.take()
    flow.clock.advance(10_000)
    with operation("watchdog", traceparent=TIMER, correlation_id="other"):
        assert await flow.watchdog.run(flow.deadline()) == 1
        await flow.cancel(job)
    found = [read_envelope(text).origin for _, text in flow.take()]
    assert found == [Origin(POST, "mine")] * 2


async def test_a_retry_is_of_the_trace_that_asked_for_it(flow):
    job = await _submit(flow)
    await flow.run()
    with operation("retry_job", traceparent=RETRY, correlation_id="again"):
        await flow.retry.run("admin", job.id)
    assert (await flow.job(job)).origin == Origin(RETRY, "again")
    [(_, text)] = flow.take()
    assert read_envelope(text).origin == Origin(RETRY, "again")
    with operation("discover_job", traceparent=POST):  # a straggler of the revision before
        await flow.watchdog.run(flow.deadline())
    assert (await flow.job(job)).origin == Origin(RETRY, "again")


@pytest.mark.parametrize("carried", [{}, {"traceparent": POST, "correlation_id": "mine"}])
@pytest.mark.parametrize("queue", [JOBS_QUEUE, ARCHIVES_QUEUE])
async def test_a_job_of_a_producer_belongs_to_the_trace_of_its_message_else_to_that_of_the_host(
    flow, queue, carried
):
    await flow.blobs.put("inputs/a.jpg", b"x")
    asked = SPEC if queue == JOBS_QUEUE else {"images": ["inputs/a.jpg"]}
    spans = Spans(flow)
    await spans.handle(queue, json.dumps({**asked, "job_id": "mine-1", **carried}))
    job = await flow.jobs.require("admin", "mine-1")
    [span] = spans.parents
    parent, correlation_id = (POST, "mine") if carried else (TIMER, "e" * 32)
    assert spans.parents[span] == parent[36:52]
    assert job.origin == Origin(f"00-{parent[3:35]}-{span}-01", correlation_id)


@pytest.mark.parametrize("wrong", [None, 1, "nonsense", "x" * 5000, ["a"], {"a": 1}])
async def test_a_producers_trace_that_is_none_does_no_harm(flow, wrong):
    text = json.dumps({**SPEC, "job_id": "mine-1", "traceparent": wrong, "correlation_id": wrong})
    with operation("x", traceparent=read_envelope(text).origin.traceparent) as found:
        assert found.own_span
        await flow.handle(JOBS_QUEUE, text)
    assert (await flow.jobs.require("admin", "mine-1")).state is State.QUEUED
