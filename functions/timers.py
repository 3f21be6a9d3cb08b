"""Timer functions: the nightly lifecycle of datasets, and the watchdog over jobs."""

import azure.functions as func

from functions.invocation import triggered
from shared.wiring import app

blueprint = func.Blueprint()


@blueprint.timer_trigger(arg_name="timer", schedule="%LIFECYCLE_SCHEDULE%", use_monitor=True)
async def lifecycle(timer: func.TimerRequest, context: func.Context) -> None:
    """Each night: old datasets go to the Archive tier, working blobs of finished jobs go away."""
    del timer  # a run that is past due does what any other does
    async with triggered(app(), "lifecycle", context):
        await app().nightly.run(app().deadline())


@blueprint.timer_trigger(arg_name="timer", schedule="%WATCHDOG_SCHEDULE%", use_monitor=False)
async def watchdog(timer: func.TimerRequest, context: func.Context) -> None:
    """Every ten minutes: jobs that stand still are sent on."""
    del timer
    async with triggered(app(), "watchdog", context):
        await app().watchdog.run(app().deadline())
