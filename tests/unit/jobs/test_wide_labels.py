"""Labels whose characters take more bytes than others: a job with many of them completes, is listed and is retried."""

import pytest

from shared.jobs.job.states import State
from shared.records.records import Reason
from tests.unit.jobs.simulation import Flow

_SIGNS = {"emoji": "😀", "family": "👩\u200d👧\u200d👦", "rare han": "𠮷", "han": "猫", "accents": "é"}


@pytest.mark.parametrize("sign", _SIGNS.values(), ids=_SIGNS)
@pytest.mark.parametrize("characters", [20, 200])
async def test_a_crawled_job_of_1800_labels_is_recorded_whatever_its_signs(flow, sign, characters):
    del flow  # it brings the fake source
    flow = Flow(chunk_size=1000)
    flow.worker.reject = lambda index: Reason.TIMED_OUT if index % 10 == 9 else None
    labels = [f"{number} {sign * characters}"[:characters] for number in range(1800)]
    items = [{"url": f"http://x.example/{at}.jpg", "label": label} for at, label in enumerate(labels)]
    job = await flow.send(
        {
            "name": sign * 20,
            "sources": [{"type": "urls", "items": items}],
            "dedup": {"exact": True, "near_distance": None},
        }
    )
    await flow.run()
    assert (await flow.job(job)).state is State.COMPLETED
    flow.worker.reject = lambda _: None
    await flow.retry.run("admin", job.id)
    await flow.run()
    [dataset] = (await flow.catalog.page("admin")).items
    assert (dataset.revision, dataset.image_count) == (2, 1800)
