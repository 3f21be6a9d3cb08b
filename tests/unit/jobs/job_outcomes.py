"""The outcome of a whole job, for comparison."""

import gzip
import json

from shared.jobs.job.states import State

SPEC = {"keywords": ["a", "b"], "sources": [{"type": "fake"}], "dedup": {"near_distance": None}}
TOTAL = 200


async def outcome(flow, job):
    """Returns the state, the outcome of each candidate by index, and the archive's bytes."""
    found = await flow.jobs.require("admin", job.id)
    lines = gzip.decompress(await flow.blobs.get(f"datasets/job_{job.id}/records.jsonl.gz")).splitlines()
    records = {row["index"]: row["outcome"] for row in map(json.loads, lines)}
    assert len(records) == len(lines)
    return found.state, records, await flow.blobs.get(f"datasets/job_{job.id}/dataset.zip")


def check_whole(state, records):
    assert state is State.COMPLETED
    assert records.keys() == set(range(TOTAL))
    assert {index for index, outcome in records.items() if outcome != "kept"} == set(range(9, TOTAL, 10))
