"""Timer functions: the nightly run over datasets, the business metrics, and the watchdog over jobs."""

import azure.functions as func

from functions.invocation import triggered
from shared.clock import Deadline
from shared.wiring import app

blueprint = func.Blueprint()


@blueprint.timer_trigger(arg_name="timer", schedule="%LIFECYCLE_SCHEDULE%", use_monitor=True)
async def lifecycle(timer: func.TimerRequest, context: func.Context) -> None:
    """Begins the work of a night, which the queue `lifecycle` does: see `shared.lifecycle.night`."""
    # a run that is past due does the same as any other
    del timer
    async with triggered(app(), "lifecycle", context):
        await app().night.begin()


@blueprint.timer_trigger(arg_name="timer", schedule="%BUSINESS_METRICS_SCHEDULE%", use_monitor=True)
async def business_metrics(timer: func.TimerRequest, context: func.Context) -> None:
    """Counts the users of the day before and sends its metrics. Further runs of a night continue one that stopped."""
    del timer
    async with triggered(app(), "business_metrics", context):
        await app().business_metrics.run(app().deadline())


@blueprint.timer_trigger(arg_name="timer", schedule="%WATCHDOG_SCHEDULE%", use_monitor=False)
async def watchdog(timer: func.TimerRequest, context: func.Context) -> None:
    """Sends the messages of stalled jobs and of overdue webhook calls again, every ten minutes."""
    del timer
    async with triggered(app(), "watchdog", context):
        deadline = app().deadline()
        # at most half of the time, so that neither keeps the other from running
        await app().overdue_deliveries.run(Deadline.after(app().clock, deadline.remaining_seconds / 2))
        await app().watchdog.run(deadline)
