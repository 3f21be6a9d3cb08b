"""The archive step filters by the percentiles of the spec, which need all images of a label."""

from shared.archiving.planning.planner import PlanConfig
from shared.records.scores import ScoreRange
from tests.unit.jobs.archive_step.parts import CountedFlow, crawled
from tests.unit.jobs.job_outcomes import SPEC


async def test_the_order_of_an_archive_has_the_scores_of_the_spec():
    flow = CountedFlow(PlanConfig())
    wanted = {"sharpness": {"min": 1, "min_percentile": 5}}
    job = await crawled(flow, SPEC | {"filters": {"scores": wanted}})
    order = await flow.archive._order(job)
    assert order.scores == {"sharpness": ScoreRange(min=1, min_percentile=5)}
    # it is the same in all orders of a revision, and does not make another plan
    assert order.digest == (await flow.archive._order(job)).digest
