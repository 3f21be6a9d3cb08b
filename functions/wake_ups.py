"""Wakes the listeners of queues, so that a host can poll idle queues seldom and still begin a job at once.

A host asks a queue again 0.1 seconds after a message. Then it waits about twice as long after each empty poll, up to
`maxPollingInterval` of host.json. A message of the app's own SDK clients does not change that. A message of a queue
output does: if the host that writes it listens to that queue, it polls the queue at once. So a function that has sent
messages writes one more to each of these queues, a wake-up, which is received and ignored.

A wake-up that is lost delays a message by `maxPollingInterval` at most. One that is early or doubled is an empty poll.
Where each function has instances of its own, as on the Flex Consumption plan, a wake-up cannot reach the listener, and
would only be one more execution. `WAKE_QUEUES` turns wake-ups off there.
"""

import inspect
import time
from collections.abc import Awaitable, Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Any, Final

import azure.functions as func

from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, LIFECYCLE_QUEUE, WEBHOOKS_QUEUE
from shared.storage.sent import noting_sent_messages

WAKE_UP: Final = "wake-up"
"""The text of a message that only wakes a listener. No message that the app can handle has this text."""

_OUTPUTS: Final = {
    f"wake_{queue.replace('-', '_')}": queue
    for queue in (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE, WEBHOOKS_QUEUE, LIFECYCLE_QUEUE)
}
"""The queues by the names of the outputs."""
# after a message, the listener polls at intervals that are shorter than the time since that message
_FAST_SECONDS: Final = 1.0
_received_at: dict[str, float] = {}

type Function = Callable[..., Awaitable[Any]]


def received(queue: str) -> None:
    """Notes that the host has just received a message of a queue, so that its listener polls often for a while."""
    _received_at[queue] = time.monotonic()


def with_wake_ups(blueprint: func.Blueprint, function: Function, enabled: Callable[[], bool]) -> Any:
    """Returns the function with an output for each queue. It wakes the queues to which a run has sent messages.

    The host writes outputs only if the function succeeds, and before it deletes the message or answers the call.
    """

    async def waking(*args: Any, **given: Any) -> Any:
        outputs: dict[str, func.Out[str]] = {name: given.pop(name) for name in _OUTPUTS if name in given}
        with noting_sent_messages() as sent:
            result = await function(*args, **given)
        if enabled():
            asleep = set(_asleep(_expecting(sent)))
            for name, output in outputs.items():
                if _OUTPUTS[name] in asleep:
                    output.set(WAKE_UP)
        return result

    signature = inspect.signature(function)
    further = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=func.Out[str]) for name in _OUTPUTS
    ]
    # the worker reads from these which parameters the function has
    vars(waking)["__signature__"] = signature.replace(parameters=[*signature.parameters.values(), *further])
    waking.__annotations__ = {**function.__annotations__, **dict.fromkeys(_OUTPUTS, func.Out[str])}
    waking.__name__, waking.__module__ = function.__name__, function.__module__
    waking.__doc__ = function.__doc__
    registered: Any = waking
    for name, queue in _OUTPUTS.items():
        registered = blueprint.queue_output(
            arg_name=name, queue_name=queue, connection="AzureWebJobsStorage"
        )(registered)
    return registered


def _expecting(sent: AbstractSet[str]) -> Iterable[str]:
    """Returns the queues that have a message, or will have one soon: discovery sends chunks while it still runs."""
    return {*sent, CHUNKS_QUEUE} if JOBS_QUEUE in sent else sent


def _asleep(queues: Iterable[str]) -> Iterable[str]:
    """Returns those of the queues whose listener may poll at long intervals."""
    fast_since = time.monotonic() - _FAST_SECONDS
    return (queue for queue in queues if _received_at.get(queue, fast_since) <= fast_since)
