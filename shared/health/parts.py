"""Checks the parts that report more than an answer: queues and telemetry."""

import asyncio
from collections.abc import Sequence

from shared.health.health import Finding
from shared.storage.queues import QueueSender
from shared.telemetry.telemetry import Telemetry


async def ask_queues(queues: QueueSender, names: Sequence[str]) -> Finding:
    """Returns the number of messages in each queue and in its poison queue. A message in a poison queue is a problem.

    Raises:
        Unavailable: the service did not answer.
    """
    every = [queue for name in names for queue in (name, f"{name}-poison")]
    depths = dict(zip(every, await asyncio.gather(*(queues.depth(name) for name in every)), strict=True))
    poison = [f"{depth} in {name}" for name, depth in depths.items() if depth and name.endswith("-poison")]
    return Finding(f"Messages have failed for good: {', '.join(poison)}." if poison else None, depths)


def ask_telemetry(telemetry: Telemetry, setting_problems: Sequence[str]) -> Finding:
    """Returns the state of sending telemetry.

    Wrong settings and failed sending are problems. Missing settings are not.
    """
    state = telemetry.state()
    problems = list(setting_problems)
    # without a valid setting there is no sender, and the state repeats the problem with the setting
    if state.configured and state.problem:
        problems.append(f"Telemetry does not arrive: {state.problem}")
    return Finding(
        "; ".join(problems) or None,
        {
            "configured": state.configured,
            "backlog": state.backlog,
            "dropped": state.dropped,
            "last_success": state.last_success.isoformat() if state.last_success else None,
        },
    )
