"""Names of the blobs of jobs and datasets."""

import pytest

from shared.records.blob_names import dataset_of, dataset_prefix, revision_prefix, work_prefix


@pytest.mark.parametrize("revision", [1, 2, 10])
@pytest.mark.parametrize("name", ["dataset.zip", "shards/00001.tar", "records.jsonl.gz"])
def test_the_name_of_a_blob_of_a_dataset_has_its_id_and_revision(revision, name):
    blob = f"{revision_prefix('j-1', revision)}{name}"
    assert blob.startswith(dataset_prefix("j-1"))
    assert dataset_of(blob) == ("j-1", revision)


@pytest.mark.parametrize(
    "blob", [f"{work_prefix('j')}spec.json", "inputs/datasets/job_j/a", "datasets/other/a", ""]
)
def test_other_blobs_belong_to_no_dataset(blob):
    assert dataset_of(blob) is None
