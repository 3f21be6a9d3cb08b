"""Archives of many small parts, and checks of each part."""

import hashlib
import io
import zipfile
from collections import Counter

from shared.archiving.planning.planner import PlanConfig
from shared.jobs.job.messages import CHUNKS_QUEUE, JOBS_QUEUE
from shared.jobs.job.states import State
from tests.unit.jobs.job_outcomes import SPEC
from tests.unit.jobs.simulation import Flow

IMAGES = 180


class Counts:
    """Counts blocks that are staged and files that are committed."""

    def __init__(self, blobs):
        self.staged: Counter[tuple[str, int]] = Counter()
        self.commits: Counter[str] = Counter()
        self.largest = 0
        self._stage, self._commit = blobs.stage, blobs.commit
        blobs.stage, blobs.commit = self.stage, self.commit

    async def stage(self, name, number, data):
        self.staged[name, number] += 1
        self.largest = max(self.largest, len(data))
        await self._stage(name, number, data)

    async def commit(self, name, numbers, attributes):
        self.commits[name] += 1
        await self._commit(name, numbers, attributes)


class CountedFlow(Flow):
    """A flow that counts blocks that are staged and files that are committed."""

    def __init__(self, archives: PlanConfig) -> None:
        super().__init__(archives=archives)
        self.counts = Counts(self.blobs)


async def crawled(flow, spec=SPEC):
    """Runs a job up to the message that starts its archive."""
    job = await flow.send(spec)
    for _ in range(100):
        taken = [(queue, text) for queue in (JOBS_QUEUE, CHUNKS_QUEUE) for text in flow.queues.take(queue)]
        if not taken:
            return job
        for queue, text in taken:
            await flow.handle(queue, text)
    raise AssertionError("it is never crawled")


async def check(flow, job, images=IMAGES):
    assert (await flow.jobs.require("admin", job.id)).state is State.COMPLETED
    data = await flow.blobs.get(f"datasets/job_{job.id}/dataset.zip")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert sum(name.count("/") == 2 for name in archive.namelist()) == images
    dataset = await flow.catalog.require("admin", job.id)
    assert dataset.size_bytes == len(data)
    assert dataset.sha256 == hashlib.sha256(data).hexdigest()
    (checksum,) = dataset.checksums.values()
    ranges = [data[at : at + checksum.part_bytes] for at in range(0, len(data), checksum.part_bytes)]
    assert [hashlib.sha256(part).hexdigest() for part in ranges] == list(checksum.parts)
    return data
