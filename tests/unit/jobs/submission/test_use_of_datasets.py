"""Jobs that have datasets as sources count as their use."""

from datetime import timedelta

from tests.unit.datasets.made import made
from tests.unit.jobs.simulation import Flow


async def used_at(flow):
    return (await flow.catalog.require("admin", "d")).keeping.last_job_at


async def test_a_submitted_job_is_a_use_of_its_sources_which_is_recorded_once_a_day():
    flow = Flow()
    await flow.catalog.put(made("d", "admin"))
    assert await used_at(flow) is None
    begin = flow.clock.now()
    for hours, recorded in ((0, 0), (23, 0), (24, 24), (30, 24)):
        flow.clock.moment = begin + timedelta(hours=hours)
        await flow.send({"name": f"at {hours}", "sources": [{"type": "dataset", "id": "d"}] * 2})
        assert await used_at(flow) == begin + timedelta(hours=recorded)


async def test_a_dataset_to_deduplicate_against_is_not_used_because_only_its_records_are_read():
    flow = Flow()
    await flow.catalog.put(made("d", "admin"))
    await flow.send({"keywords": ["a"], "sources": [{"type": "fake"}], "dedup": {"against": ["d"]}})
    assert await used_at(flow) is None
