"""A job with images that failed for a transient reason, and the nightly run after it."""

from datetime import timedelta

from shared.jobs.job.states import State
from shared.records.records import Reason
from tests.unit.jobs.job_outcomes import SPEC


def troubled(index):
    return {3: Reason.TIMED_OUT, 7: Reason.CORRUPT, 8: Reason.SERVER_ERROR}.get(index % 10)


async def run_troubled(flow, spec=SPEC):
    flow.worker.reject = troubled
    job = await flow.send(spec)
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    flow.worker.fetched.clear()
    return job


async def night(flow, days):
    """Clears working blobs as the nightly run does, so many days later."""
    flow.clock.advance(timedelta(days=days).total_seconds())
    await flow.clear_work()
    assert "clear_work" not in {signal.properties.get("operation") for signal in flow.telemetry.signals}
