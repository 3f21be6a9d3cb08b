"""Runs functions from input bindings to output bindings, with log lines and retries."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from azure.core.exceptions import AzureError

from devhost.bindings import BindingError, Bindings, binding_data
from devhost.connections import first_line
from devhost.console import INVOCATION, Console
from devhost.functions import Function, Invocation, Outcome, new_guid, span_in
from devhost.request_items import RequestItems, Run
from devhost.settings import HostSettings
from devhost.worker.pool import WorkerPool
from devhost.worker.protos import TypedData

_log = logging.getLogger("devhost.runs")


class Invoker:
    """Runs functions. Errors are logged and are part of the outcome. They are not raised."""

    def __init__(
        self,
        pool: WorkerPool,
        bindings: Bindings,
        settings: HostSettings,
        console: Console,
        requests: RequestItems,
    ) -> None:
        self._pool = pool
        self._bindings = bindings
        self._timeout_seconds = settings.function_timeout_seconds
        self._console = console
        self._requests = requests

    async def run(
        self,
        function: Function,
        trigger: TypedData,
        metadata: Mapping[str, TypedData],
        reason: str,
        trace: tuple[str, str] = ("", ""),
    ) -> Outcome:
        """Runs a function, and retries it by its retry policy. HTTP functions have no retries.

        `trace` has the `traceparent` and the `tracestate` of the caller.
        """
        policy = function.retry if function.kind != "httptrigger" else None
        limit = policy.max_retries if policy else 0
        span, caller = span_in(trace[0])
        invocation = Invocation(
            function.name,
            {str(function.trigger["name"]): trigger},
            metadata,
            span,
            trace[1],
            caller,
            max_retries=max(0, limit),
        )
        outcome = await self._run_once(function, invocation, reason)
        retries = 0
        while policy and outcome.error is not None and (limit < 0 or retries < limit):
            await asyncio.sleep(policy.delay_seconds(retries))
            retries += 1
            span, _ = span_in(span)
            invocation = replace(
                invocation,
                id=new_guid(),
                trace_parent=span,
                retries=retries,
                previous_error=outcome.error,
            )
            outcome = await self._run_once(function, invocation, f"Retry {retries}")
        return outcome

    async def _run_once(self, function: Function, invocation: Invocation, reason: str) -> Outcome:
        token = INVOCATION.set(invocation.id)
        shown = self._console.shows(f"Function.{function.name}")
        if shown:
            _log.info("Executing 'Functions.%s' (Reason='%s', Id=%s)", function.name, reason, invocation.id)
        began, began_at = time.monotonic(), datetime.now(UTC)
        outcome = await self._run_with_bindings(function, invocation)
        milliseconds = (time.monotonic() - began) * 1000
        self._requests.add(function, invocation, Run(began_at, milliseconds, reason), outcome)
        ended = (function.name, invocation.id, milliseconds)
        if outcome.error is not None:
            text = f"{outcome.error}\n{outcome.stack}".strip()
            _log.error("Executed 'Functions.%s' (Failed, Id=%s, Duration=%.0fms)\n%s", *ended, text)
        elif shown:
            _log.info("Executed 'Functions.%s' (Succeeded, Id=%s, Duration=%.0fms)", *ended)
        INVOCATION.reset(token)
        return outcome

    async def _run_with_bindings(self, function: Function, invocation: Invocation) -> Outcome:
        """Reads input bindings, runs the function and writes its output. An error of a binding fails the invocation."""
        if not function.inputs and not any(
            str(binding["type"]).lower() != "http" for binding in function.outputs
        ):
            return await self._pool.invoke(invocation, self._timeout_seconds)
        try:
            data = binding_data(invocation.metadata)
            inputs = await self._bindings.read(function, data)
            bound = replace(invocation, inputs={**invocation.inputs, **inputs})
            outcome = await self._pool.invoke(bound, self._timeout_seconds)
            if outcome.error is None:
                await self._bindings.write(function, outcome, data)
        # a value that cannot be encoded raises ValueError
        except (AzureError, BindingError, OSError, ValueError) as error:
            return Outcome(invocation.id, f"A binding failed: {first_line(error)}")
        return outcome
