"""Makes and reads the name of every blob of a job and its dataset.

```
datasets/job_{id}/            the dataset of the job's first revision; the next ones are under r2/, r3/, …
work/job_{id}/                working blobs, deleted some days after the job's end
    spec.json
    discovery/  seen/         the state of discovery, where it is long, and the addresses that were found
    candidates/  records/     the input of a chunk, and its outcomes
    shards/                   images in the order in which they were fetched
    archive/r{revision}/      start.json; the plan and its texts are under the digest of the order
    derived/                  small images of those that the job has kept, made when somebody looks at them
derived/job_{id}/r{revision}/    small images of a dataset, its preview, report, index and statistics, and the spec that
                              it was made from, for a refresh; deleted with the dataset
inputs/{user}/                lists that the user's specs may name; the app writes those under uploaded/ only
models/{model}/               files of models, which the operator puts there; the app only reads them
```

Only one run writes a name with a nonce. Prefixes end in a slash.
"""

import re

DATASETS = "datasets/"
WORK = "work/"
INPUTS = "inputs/"
UPLOADED = "uploaded/"
DERIVED = "derived/"
MODELS = "models/"
_DERIVED_FROM = re.compile(rf"{DERIVED}job_([^/]+)/r(\d+)/")
_OF_DATASET = re.compile(rf"{DATASETS}job_([^/]+)/(?:r(\d+)/)?")


def dataset_prefix(job_id: str) -> str:
    """Returns the prefix of the blobs of a job's dataset, for all revisions."""
    return f"{DATASETS}job_{job_id}/"


def revision_prefix(job_id: str, revision: int) -> str:
    """Returns the prefix of one revision of a dataset.

    Each revision has its own names. So the earlier revision stays complete until the next one is recorded, and a late
    run of the earlier revision does not change the next one.
    """
    folder = dataset_prefix(job_id)
    return folder if revision == 1 else f"{folder}r{revision}/"


def dataset_of(blob: str) -> tuple[str, int] | None:
    """Returns the id and the revision of the dataset that the blob belongs to, or None if it belongs to no dataset."""
    found = _OF_DATASET.match(blob)
    return (found[1], int(found[2] or 1)) if found else None


def derived_prefix(dataset_id: str) -> str:
    """Returns the prefix of all blobs that are derived from a dataset's images: small images, previews, indexes."""
    return f"{DERIVED}job_{dataset_id}/"


def revision_derived_prefix(dataset_id: str, revision: int) -> str:
    """Returns the prefix of the blobs that are derived from one revision of a dataset."""
    return f"{derived_prefix(dataset_id)}r{revision}/"


def preview_blob(dataset_id: str, revision: int) -> str:
    """Returns the name of the preview of one revision of a dataset."""
    return f"{revision_derived_prefix(dataset_id, revision)}preview.jpg"


def dataset_spec_blob(dataset_id: str, revision: int) -> str:
    """Returns the name of the spec that a revision of a dataset was made from. It outlives the job's working blobs."""
    return f"{revision_derived_prefix(dataset_id, revision)}spec.json"


def report_blob(dataset_id: str, revision: int) -> str:
    """Returns the name of the report of one revision of a dataset."""
    return f"{revision_derived_prefix(dataset_id, revision)}report.html"


def derived_from(blob: str) -> tuple[str, int] | None:
    """Returns the id and the revision of the dataset from which the blob is derived, or None if it is another blob."""
    found = _DERIVED_FROM.match(blob)
    return (found[1], int(found[2])) if found else None


def inputs_prefix(user_id: str) -> str:
    """Returns the prefix of the lists that the specs of a user may name."""
    return f"{INPUTS}{user_id}/"


def model_blob(model: str, file: str) -> str:
    """Returns the name of a file of a model."""
    return f"{MODELS}{model}/{file}"


def work_prefix(job_id: str) -> str:
    """Returns the prefix of a job's working blobs."""
    return f"{WORK}job_{job_id}/"


def spec_blob(job_id: str) -> str:
    """Returns the name of the job's spec."""
    return f"{work_prefix(job_id)}spec.json"


def discovery_blob(job_id: str, chunks: int, nonce: str) -> str:
    """Returns the name of the state of discovery after `chunks` chunks."""
    return f"{work_prefix(job_id)}discovery/{chunks:06}-{nonce}"


def seen_blob(job_id: str, chunks: int, nonce: str) -> str:
    """Returns the name of the addresses that discovery had found when it had made `chunks` chunks."""
    return f"{work_prefix(job_id)}seen/{chunks:06}-{nonce}"


def known_blob(job_id: str, revision: int, nonce: str) -> str:
    """Returns the name of the keys of all images that a refresh knows."""
    return f"{work_prefix(job_id)}seen/known-r{revision}-{nonce}"


def listed_blob(job_id: str, chunks: int, nonce: str) -> str:
    """Returns the name of the marks of known images that sources had listed when there were `chunks` chunks."""
    return f"{work_prefix(job_id)}seen/listed-{chunks:06}-{nonce}"


def candidates_blob(job_id: str, name: str) -> str:
    """Returns the name of a chunk's candidates. `name` is the chunk's, with a nonce if another run may write others."""
    return f"{work_prefix(job_id)}candidates/{name}.jsonl.gz"


def records_blob(job_id: str, chunk_id: str) -> str:
    """Returns the name of a chunk's records, which commit the chunk."""
    return f"{work_prefix(job_id)}records/{chunk_id}.jsonl.gz"


def shard_name(job_id: str, chunk_id: str, nonce: str) -> str:
    """Returns the beginning of the names of the shards that one run of a chunk writes."""
    return f"{work_prefix(job_id)}shards/{chunk_id}-{nonce}"


def job_derived_prefix(job_id: str) -> str:
    """Returns the prefix of the blobs that are derived from images that a job has kept."""
    return f"{work_prefix(job_id)}derived/"


def archive_prefix(job_id: str, revision: int) -> str:
    """Returns the prefix of the working blobs of one revision's archive step."""
    return f"{work_prefix(job_id)}archive/r{revision}/"


def start_blob(job_id: str, revision: int) -> str:
    """Returns the name of the input of one revision's archive step."""
    return f"{archive_prefix(job_id, revision)}start.json"


def plan_blob(archive: str, digest: str) -> str:
    """Returns the name of an order's plan, below the archive step's prefix."""
    return f"{archive}{digest}/plan.npz"


def plan_texts_prefix(archive: str, digest: str, nonce: str) -> str:
    """Returns the prefix under which one run writes the texts of a plan."""
    return f"{archive}{digest}/{nonce}/"
