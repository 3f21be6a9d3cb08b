"""The records of jobs can be downloaded, also those of a job that kept no image."""

import gzip
import json
from datetime import timedelta

import pytest

from functions.http.models.answers import JobAnswer, JobSummary
from functions.http.models.downloads import RecordsAnswer
from shared.errors import NotFound
from shared.jobs.job.delivered import has_records, records_of
from shared.jobs.job.states import State
from shared.records.records import Reason
from shared.storage.blobs import Tier

SPEC = {"labels": {"cat": ["cat"]}, "sources": [{"type": "fake", "total": 30}], "max_images_per_label": 30}


async def _records(flow, job):
    found = await records_of(await flow.job(job), flow.downloads)
    told = RecordsAnswer.of(found)
    assert told.url
    assert (told.filename, told.tier) == ("records.jsonl.gz", "hot")
    data = await flow.blobs.get(found.blob)
    assert told.size_bytes == len(data)
    return [json.loads(line) for line in gzip.decompress(data).splitlines()]


def _links(job, progress):
    links = JobAnswer.of(job, progress).links
    assert JobSummary.of(job).links.get("records") == links.get("records")
    return links


@pytest.mark.parametrize("total", [0, 1, 30])
async def test_the_records_of_a_job_that_kept_nothing_can_be_downloaded(flow, total):
    flow.worker.reject = lambda _index: Reason.TOO_SMALL
    job = await flow.send({**SPEC, "sources": [{"type": "fake", "total": total}]})
    await flow.run()
    found = await flow.job(job)
    assert (found.state, found.failure.code) == (State.FAILED, "no_images")
    told = (
        f"Of {total} found, no image could be kept: {total} too_small." if total else "No images were found."
    )
    assert found.failure.detail == told
    rows = await _records(flow, job)
    assert [row["index"] for row in rows] == list(range(total))
    assert {row["reason"] for row in rows} <= {"too_small"}
    progress = await flow.ledger.progress(job.id)
    assert _links(found, progress)["records"] == f"/api/v1/jobs/{job.id}/records/download"


async def test_the_records_of_a_job_with_a_dataset_are_the_datasets(flow):
    job = await flow.send(SPEC)
    await flow.run()
    dataset = await flow.catalog.require("admin", job.id)
    for blob in dataset.blobs:
        await flow.blobs.set_tier(blob, Tier.ARCHIVE)
    rows = await _records(flow, job)
    assert len(rows) == 30
    assert (await records_of(await flow.job(job), flow.downloads)).blob == dataset.records_blob


async def test_a_job_that_runs_or_was_cancelled_or_broke_has_no_records(flow):
    job = await flow.send(SPEC)
    for state in ("running", "cancelled"):
        if state == "cancelled":
            await flow.cancel(job)
            await flow.run()
        found = await flow.job(job)
        assert not has_records(found)
        assert "records" not in _links(found, await flow.ledger.progress(job.id))
        with pytest.raises(NotFound, match="no records"):
            await records_of(found, flow.downloads)


async def test_records_of_a_job_that_kept_nothing_are_deleted_with_its_working_blobs_and_the_error_says_so(
    flow,
):
    flow.worker.reject = lambda _index: Reason.TOO_SMALL
    job = await flow.send(SPEC)
    await flow.run()
    found = await flow.job(job)
    flow.clock.advance(timedelta(days=8).total_seconds())
    await flow.catalog.delete_other_revisions("admin", job.id, flow.clock.now())
    with pytest.raises(NotFound, match="gone"):
        await records_of(found, flow.downloads)
