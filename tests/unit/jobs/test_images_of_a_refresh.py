"""While a job is refreshed, its images are those that the refresh has taken over or added, and no image comes twice."""

from shared.images.image import ImageFilter
from shared.images.job_images import JobImages
from shared.jobs.job.messages import CHUNKS_QUEUE, JOBS_QUEUE
from shared.jobs.job.states import State
from shared.jobs.submission.refresh import WantedRefresh
from shared.users.caller import UNMARKED

SPEC = {
    "keywords": ["a", "b"],
    "sources": [{"type": "fake", "total": 100}],
    "max_images_per_label": 1000,
    "dedup": {"exact": False, "near_distance": None},
}


async def _indices(flow, job):
    images, place = list[int](), None
    for _ in range(100):
        page = await JobImages(flow.data, flow.clock).page(await flow.job(job), ImageFilter(), place, 50)
        images += [image.facts.index for image in page.images]
        place = page.following
        if place is None:
            return sorted(images)
    raise AssertionError("the pages do not end")


async def test_while_a_refresh_runs_each_image_is_listed_once(flow):
    flow.worker.reject = lambda _: None
    job = await flow.send(SPEC)
    await flow.run()
    await flow.refresh.run("admin", job.id, WantedRefresh(UNMARKED))
    for text in flow.queues.take(JOBS_QUEUE):
        await flow.handle(JOBS_QUEUE, text)
    assert await _indices(flow, job) == []
    while queued := flow.queues.take(CHUNKS_QUEUE):
        for text in queued:
            await flow.handle(CHUNKS_QUEUE, text)
    assert (await flow.job(job)).state is not State.COMPLETED
    assert await _indices(flow, job) == list(range(200))
