"""Runs the code around every invocation: it sets the operation, and reports and sends the outcome."""

import contextlib
import time
from collections.abc import AsyncIterator

import azure.functions as func

from shared.jobs.job.messages import Envelope
from shared.telemetry import signals
from shared.telemetry.azure_monitor.exceptions import details_of
from shared.telemetry.correlation import Operation, is_correlation_id, operation, trace_id_in
from shared.telemetry.privacy import scrub
from shared.wiring import App

_FLUSH_SECONDS = 1.0


class InvocationFailed(Exception):
    """A function failed with an error that had secrets. This text names the error and its causes, without them."""


@contextlib.asynccontextmanager
async def triggered(
    services: App, name: str, context: func.Context, envelope: Envelope | None = None
) -> AsyncIterator[Operation]:
    """Runs the block as the operation of an invocation that a message (with an envelope) or a timer has triggered.

    The operation of a message belongs to the trace that the message carries. The host gives the invocation another
    trace, so the app reports a span of its own, which names the host's trace. The operation of a timer belongs to the
    host's request. Errors are reported and raised, so that the host tries again. At the end all signals are sent. That
    takes a second at most, and no time while sending fails.

    A message without a valid correlation id has its own id as one, so that all of its deliveries have the same.
    """
    host = context.trace_context.trace_parent
    carried = envelope.origin if envelope is not None else None
    follows = carried.traceparent if carried and trace_id_in(carried.traceparent) else host
    with operation(
        name,
        traceparent=follows,
        correlation_id=_correlation_id(envelope) if envelope is not None else None,
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
            _refuse_secrets(error)
            raise
        finally:
            report_span(services, current, time.monotonic() - began, succeeded=succeeded, host=host)
            # the host may kill or freeze this process as soon as nothing runs in it
            await services.telemetry.flush(_FLUSH_SECONDS)


def _refuse_secrets(error: Exception) -> None:
    """Raises an error without secrets in place of one with them.

    The host reports the text of what is raised, and the texts of its causes.

    Raises:
        InvocationFailed: one of these texts has something that telemetry must not have.
    """
    text = "\n".join(f"{found.type_name}: {found.message}" for found in details_of(error))
    if scrub(text) != text:
        raise InvocationFailed(scrub(text)).with_traceback(error.__traceback__) from None


def _correlation_id(envelope: Envelope) -> str:
    carried = envelope.origin.correlation_id
    return carried if is_correlation_id(carried) else envelope.message_id


def report_span(
    services: App, current: Operation, seconds: float, *, succeeded: bool, host: str | None
) -> None:
    """Reports the operation's span if it has its own, so that all of its items have a parent."""
    if current.own_span:
        signals.invocation(
            services.telemetry,
            function=current.name,
            span_id=current.span_id,
            duration_seconds=seconds,
            succeeded=succeeded,
            host_operation_id=trace_id_in(host) or "",
        )
