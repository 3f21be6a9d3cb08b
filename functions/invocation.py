"""What every function shares: its invocation as an operation of telemetry, and its end."""

import contextlib
import time
from collections.abc import AsyncIterator

import azure.functions as func

from shared.jobs.job.messages import Envelope
from shared.telemetry import signals
from shared.telemetry.correlation import Operation, operation, trace_id_in
from shared.wiring import App

_FLUSH_SECONDS = 1.0


@contextlib.asynccontextmanager
async def triggered(
    services: App, name: str, context: func.Context, envelope: Envelope | None = None
) -> AsyncIterator[Operation]:
    """Run the block as the operation of an invocation that a message (with an envelope) or a timer has triggered.

    A message's operation goes on with the trace that the message carries, in which the host reports nothing: the host
    gives the invocation a trace of its own. So the app reports a span for it, which names the host's trace. A timer's
    operation is that of the host's request. What fails is reported, and left to the host's retries. At the end, what
    was reported is sent, which takes a second at most, and no time while sending fails.
    """
    host = context.trace_context.trace_parent
    carried = envelope.origin if envelope is not None else None
    follows = carried.traceparent if carried and trace_id_in(carried.traceparent) else host
    with operation(
        name,
        traceparent=follows,
        correlation_id=carried.correlation_id if carried else None,
        own_span=envelope is not None,
        job_id=envelope.job_id if envelope else "",
    ) as current:
        began = time.monotonic()
        succeeded = False
        try:
            with services.invocation():
                yield current
            succeeded = True
            services.completed(current)
        except Exception as error:
            if envelope is None or current.job_id:
                signals.failure(services.telemetry, error, operation=name, job_id=current.job_id or None)
            else:
                signals.message_failure(
                    services.telemetry, error, operation=name, message_id=envelope.message_id
                )
            raise
        finally:
            report_span(services, current, time.monotonic() - began, succeeded=succeeded, host=host)
            # the host may kill or freeze this process as soon as nothing runs in it
            await services.telemetry.flush(_FLUSH_SECONDS)


def report_span(
    services: App, current: Operation, seconds: float, *, succeeded: bool, host: str | None
) -> None:
    """Report the span of an operation that has one of its own, so that all items have a parent."""
    if current.own_span:
        signals.invocation(
            services.telemetry,
            function=current.name,
            span_id=current.span_id,
            duration_seconds=seconds,
            succeeded=succeeded,
            host_operation_id=trace_id_in(host) or "",
        )
