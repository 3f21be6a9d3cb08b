"""The name of every blob that a job or its dataset has.

```
datasets/job_{id}/            the dataset of the job's first revision; the next ones are under r2/, r3/, …
work/job_{id}/                working blobs, deleted some days after the job's end
    spec.json
    discovery/  seen/         the state of discovery, where it is long, and the addresses that were found
    candidates/  records/     what a chunk has to do, and what came of it
    shards/                   images, as they were fetched
    archive/r{revision}/      start.json, and the plan and its texts under the digest of the order
```

Names with a nonce belong to the run that wrote them, which is the only one to write them. Prefixes end in a slash.
"""

import re

DATASETS = "datasets/"
WORK = "work/"
_OF_DATASET = re.compile(rf"{DATASETS}job_([^/]+)/(?:r(\d+)/)?")


def dataset_prefix(job_id: str) -> str:
    """Where the blobs of a job's dataset are, those of all revisions."""
    return f"{DATASETS}job_{job_id}/"


def revision_prefix(job_id: str, revision: int) -> str:
    """Where the dataset of one revision is.

    Each revision has names of its own: the one before stays whole until the new one stands, and a straggler of the one
    before disturbs nothing.
    """
    folder = dataset_prefix(job_id)
    return folder if revision == 1 else f"{folder}r{revision}/"


def dataset_of(blob: str) -> tuple[str, int] | None:
    """The id and the revision of the dataset that the blob belongs to; None where it is no dataset's."""
    found = _OF_DATASET.match(blob)
    return (found[1], int(found[2] or 1)) if found else None


def work_prefix(job_id: str) -> str:
    """Where the working blobs of a job are."""
    return f"{WORK}job_{job_id}/"


def spec_blob(job_id: str) -> str:
    """The job's spec."""
    return f"{work_prefix(job_id)}spec.json"


def discovery_blob(job_id: str, chunks: int, nonce: str) -> str:
    """The state of discovery behind so many chunks."""
    return f"{work_prefix(job_id)}discovery/{chunks:06}-{nonce}"


def seen_blob(job_id: str, chunks: int, nonce: str) -> str:
    """The addresses that discovery found up to so many chunks."""
    return f"{work_prefix(job_id)}seen/{chunks:06}-{nonce}"


def candidates_blob(job_id: str, name: str) -> str:
    """Candidates of a chunk: `name` is the chunk's, with a nonce where another run may write others."""
    return f"{work_prefix(job_id)}candidates/{name}.jsonl.gz"


def records_blob(job_id: str, chunk_id: str) -> str:
    """The records of a chunk, which commit it."""
    return f"{work_prefix(job_id)}records/{chunk_id}.jsonl.gz"


def shard_name(job_id: str, chunk_id: str, nonce: str) -> str:
    """What the names of the shards of one run of a chunk begin with."""
    return f"{work_prefix(job_id)}shards/{chunk_id}-{nonce}"


def archive_prefix(job_id: str, revision: int) -> str:
    """Where the working blobs of the archive of one revision are."""
    return f"{work_prefix(job_id)}archive/r{revision}/"


def start_blob(job_id: str, revision: int) -> str:
    """What the archive of one revision starts from."""
    return f"{archive_prefix(job_id, revision)}start.json"


def plan_blob(archive: str, digest: str) -> str:
    """The plan of an order, below the archive's prefix."""
    return f"{archive}{digest}/plan.npz"


def plan_texts_prefix(archive: str, digest: str, nonce: str) -> str:
    """Where one run writes the texts of a plan."""
    return f"{archive}{digest}/{nonce}/"
