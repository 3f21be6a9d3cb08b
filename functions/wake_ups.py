"""Wakes the listeners of queues, so that a host can poll idle queues seldom and still begin a job at once.

A host asks a queue again 0.1 seconds after a message. Then it waits about twice as long after each empty poll, up to
`maxPollingInterval` of host.json. A message of the app's own SDK clients does not change that. A message of a queue
output does: if the host that writes it listens to that queue, it polls the queue at once. So a function that has sent
messages writes one more to each of these queues, a wake-up, which is received and ignored.

A wake-up comes at the end of a run, but discovery sends its first chunks long before its end. So a new job sends an
early wake-up to the chunks' queue. It is received at once, waits until this process has sent a chunk, and then has the
queue woken.

A wake-up that is lost delays a message by `maxPollingInterval` at most. One that is early or doubled is an empty poll.
Where each function has instances of its own, as on the Flex Consumption plan, a wake-up cannot reach the listener, and
would only be one more execution. `WAKE_QUEUES` turns wake-ups off there.
"""

import inspect
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import azure.functions as func

from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, LIFECYCLE_QUEUE, WEBHOOKS_QUEUE
from shared.storage.sent import noting_sent_messages, wait_for_sent_message

WAKE_UP: Final = "wake-up"
"""The text of a message that only wakes a listener. No message that the app can handle has this text."""
EARLY_WAKE_UP: Final = "early wake-up"
"""The text of a message that wakes the listener now, and again when the next message is sent to the queue."""

_OUTPUTS: Final = {
    f"wake_{queue.replace('-', '_')}": queue
    for queue in (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE, WEBHOOKS_QUEUE, LIFECYCLE_QUEUE)
}
"""The queues by the names of the outputs."""
# after a message or a wake-up, the listener polls at intervals that are shorter than the time since then
_FAST_SECONDS: Final = 1.0
# most lists and searches give their first candidates within this time; meanwhile, one chunk fewer can be crawled
_EARLY_SECONDS: Final = 2.0
_active_at: dict[str, float] = {}
_early_at: dict[str, float] = {}

type Function = Callable[..., Awaitable[Any]]


async def is_wake_up(queue: str, body: bytes) -> bool:
    """Returns whether a message that the host has just received is a wake-up, which needs no further work.

    Every message except an early wake-up lets the listener poll often for a while, which is noted.
    """
    if body == EARLY_WAKE_UP.encode():
        await wait_for_sent_message(queue, _EARLY_SECONDS)
        return True
    _active_at[queue] = time.monotonic()
    return body == WAKE_UP.encode()


def with_wake_ups(blueprint: func.Blueprint, function: Function, enabled: Callable[[], bool]) -> Any:
    """Returns the function with an output for each queue. It wakes the queues to which a run has sent messages.

    The host writes outputs only if the function succeeds, and before it deletes the message or answers the call.
    """

    async def waking(*args: Any, **given: Any) -> Any:
        outputs: dict[str, func.Out[str]] = {name: given.pop(name) for name in _OUTPUTS if name in given}
        with noting_sent_messages() as sent:
            result = await function(*args, **given)
        if enabled():
            _wake(sent, {_OUTPUTS[name]: output for name, output in outputs.items()})
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


def _wake(sent: AbstractSet[str], outputs: Mapping[str, func.Out[str]]) -> None:
    """Wakes the queues that have messages, or will have them soon, unless their listeners poll often anyway."""
    now = time.monotonic()
    wake_ups = dict.fromkeys(sent, WAKE_UP)
    if JOBS_QUEUE in sent:
        wake_ups.setdefault(CHUNKS_QUEUE, EARLY_WAKE_UP)
    for queue, text in wake_ups.items():
        polls_often = now - _active_at.get(queue, -math.inf) < _FAST_SECONDS
        # many new jobs at the same time must not keep all places of the chunks' function waiting
        has_early_one = text == EARLY_WAKE_UP and now - _early_at.get(queue, -math.inf) < _EARLY_SECONDS
        if queue in outputs and not (polls_often or has_early_one):
            outputs[queue].set(text)
            (_early_at if text == EARLY_WAKE_UP else _active_at)[queue] = now
