"""Models look at known images of a refresh unless they have done so before."""

from dataclasses import replace

from shared.clock import Deadline, SystemClock
from shared.crawling.chunk import Chunk
from shared.crawling.options import CrawlOptions, Filters
from shared.records.candidates import Candidate, Known, NumberedCandidate, Provenance, StoredRange
from shared.records.embedded import Embedded
from shared.records.records import Kept, Reason, Record, Rejected
from shared.scoring.model_files import ModelFiles
from shared.scoring.model_names import ModelNames
from shared.scoring.picture_model_loader import PictureModelLoader
from shared.storage.memory.blobs import MemoryBlobs
from shared.web.wishes.respect import Respect
from tests.unit.crawling.judging.model_checks.judged import (
    face_picture,
    image_of,
    judged,
    kept,
    options,
    saved,
)
from tests.unit.scoring.faces.yunet import yunet

FILE = "datasets/job_1/dataset.zip"


async def _taken_over(make_worker, hostile, wanted, *, license_code="by", **facts) -> Record:
    """Returns the record of a known image with a face, whose stored facts are changed."""
    _, base = hostile
    data = saved(image_of(face_picture()), "PNG")
    blobs = MemoryBlobs()
    await blobs.put(FILE, b"head" + data)
    await blobs.put("models/tiny/model.onnx", yunet())
    worker = make_worker(blobs, models=PictureModelLoader(ModelFiles(blobs), ModelNames(faces="tiny")))
    known = Known(replace(kept(judged(data, options())).facts, **facts), "train")
    where = StoredRange(FILE, 4, len(data))
    provenance = Provenance("test", license=license_code)
    candidate = Candidate(f"{base}/ok", "cat", provenance, known=known, stored=where)
    chunk = Chunk(
        [NumberedCandidate(7, candidate)], "second", CrawlOptions(Filters(faces=wanted), None, Respect())
    )
    deadline = Deadline.after(SystemClock(), 30)
    records: tuple[Record, ...] = (await worker.work(chunk, deadline, lambda: False)).records
    return records[0]


async def test_a_known_image_that_no_model_has_looked_at_is_looked_at(make_worker, hostile) -> None:
    state, _ = hostile
    state.calls.clear()
    dropped = await _taken_over(make_worker, hostile, "drop")
    assert dropped.outcome == Rejected(Reason.FACE_FILTERED, "1 face")
    blurred = await _taken_over(make_worker, hostile, "blur", embedded=Embedded(creator="Ada"))
    assert isinstance(blurred.outcome, Kept)
    assert (blurred.outcome.facts.faces, blurred.outcome.facts.embedded.creator) == (1, "Ada")
    refused = await _taken_over(make_worker, hostile, "blur", license_code="by-nd")
    assert isinstance(refused.outcome, Rejected)
    assert refused.outcome.reason is Reason.LICENSE_FILTERED
    assert "/ok" not in state.calls


async def test_what_a_model_has_found_is_not_looked_for_again(make_worker, hostile) -> None:
    record = await _taken_over(make_worker, hostile, "drop", faces=0)
    assert isinstance(record.outcome, Kept)
    assert record.outcome.facts.faces == 0
