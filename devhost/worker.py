"""The worker: Microsoft's library on an event loop of its own, in a thread of its own.

A function that blocks stalls the functions of its loop, as it does on Azure, but not the host's listeners.
"""

import asyncio
import json
import os
import secrets
import sys
import threading
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime

from devhost import protos
from devhost.settings import StartError


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app, as the worker describes it."""

    name: str
    id: str
    bindings: tuple[Mapping[str, Any], ...]
    retry: Any = None

    @property
    def trigger(self) -> Mapping[str, Any]:
        """The binding that starts it."""
        return next(binding for binding in self.bindings if str(binding["type"]).lower().endswith("trigger"))

    @property
    def outputs(self) -> tuple[Mapping[str, Any], ...]:
        """The bindings that it writes to."""
        return tuple(binding for binding in self.bindings if str(binding["direction"]).lower() == "out")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an invocation came to; `error` is None where it succeeded. `outputs` are by binding name."""

    invocation_id: str
    error: str | None = None
    stack: str = ""
    returned: Any = None
    outputs: Mapping[str, Any] = field(default_factory=dict)


class Worker:
    """Loads an app and runs its functions."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    async def start(self) -> Sequence[Function]:
        """Import the app and index its functions, in order of name.

        Raises:
            StartError: the app cannot be imported or indexed; the text says why.
        """
        sys.path.insert(0, str(self._root))
        os.chdir(self._root)
        self._thread.start()
        runtime.start_threadpool_executor()
        init = SimpleNamespace(
            capabilities={}, function_app_directory=str(self._root), host_version="devhost"
        )
        _check(await self._ask(runtime.worker_init_request, worker_init_request=init))
        listed = await self._ask(runtime.functions_metadata_request, functions_metadata_request=None)
        _check(listed)
        functions = [_function(metadata) for metadata in listed.function_metadata_results or []]
        for function in functions:
            load = SimpleNamespace(function_id=function.id)
            _check(await self._ask(runtime.function_load_request, function_load_request=load))
        return sorted(functions, key=lambda function: function.name.lower())

    async def invoke(
        self,
        function: Function,
        inputs: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        trace_parent: str = "",
    ) -> Outcome:
        """Run a function once. `inputs` and `metadata` are `TypedData` by name."""
        invocation_id = _guid()
        request = SimpleNamespace(
            invocation_id=invocation_id,
            function_id=function.id,
            input_data=[protos.ParameterBinding(name=name, data=data) for name, data in inputs.items()],
            trigger_metadata=dict(metadata or {}),
            trace_context=SimpleNamespace(
                trace_parent=trace_parent or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00",
                trace_state="",
                attributes={},
            ),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )

        async def run() -> Any:
            runtime.invocation_id_cv.set(invocation_id)
            return await runtime.invocation_request(_request(invocation_request=request))

        response = await self._on_worker(run())
        if response.result.status != protos.StatusResult.Success:
            error = response.result.exception
            return Outcome(invocation_id, str(error.message), str(error.stack_trace or ""))
        outputs = {binding.name: binding.data for binding in response.output_data or []}
        return Outcome(invocation_id, returned=response.return_value, outputs=outputs)

    def stop(self) -> None:
        """Stop the loop; what still runs is abandoned."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2)
        runtime.stop_threadpool_executor()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _ask(self, handler: Any, **request: Any) -> Any:
        return await self._on_worker(handler(_request(**request)))

    async def _on_worker(self, work: Coroutine[Any, Any, Any]) -> Any:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


def _request(**request: Any) -> SimpleNamespace:
    properties = {"protos": protos, "host": "127.0.0.1"}
    return SimpleNamespace(name="devhost", request=SimpleNamespace(**request), properties=properties)


def _function(metadata: Any) -> Function:
    bindings = tuple(json.loads(raw) for raw in metadata.raw_bindings)
    return Function(metadata.name, metadata.function_id, bindings, metadata.retry_options)


def _check(response: Any) -> None:
    if response.result.status != protos.StatusResult.Success:
        error = response.result.exception
        raise StartError(f"The app cannot be loaded: {error.message}\n{error.stack_trace or ''}")


def _guid() -> str:
    digits = secrets.token_hex(16)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
