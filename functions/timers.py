"""Timer functions: the nightly lifecycle of datasets, and the watchdog over jobs."""

import azure.functions as func

from shared.telemetry.correlation import operation
from shared.wiring import app

blueprint = func.Blueprint()


@blueprint.timer_trigger(arg_name="timer", schedule="%LIFECYCLE_SCHEDULE%", use_monitor=True)
async def lifecycle(timer: func.TimerRequest, context: func.Context) -> None:
    """Each night: old datasets go to the Archive tier, working blobs of finished jobs go away."""
    del timer  # a run that is past due does what any other does
    with operation("lifecycle", traceparent=context.trace_context.trace_parent):
        await app().nightly.run(app().deadline())


@blueprint.timer_trigger(arg_name="timer", schedule="%WATCHDOG_SCHEDULE%", use_monitor=False)
async def watchdog(timer: func.TimerRequest, context: func.Context) -> None:
    """Every ten minutes: jobs that stand still are sent on."""
    del timer
    with operation("watchdog", traceparent=context.trace_context.trace_parent):
        await app().watchdog.run(app().deadline())
