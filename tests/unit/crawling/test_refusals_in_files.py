"""A chunk whose files refuse their use: each rejection names the signal, and the records keep the answers."""

from shared.clock import Deadline, SystemClock
from shared.crawling.chunk import Chunk
from shared.crawling.options import CrawlOptions, Filters
from shared.records.candidates import Candidate, NumberedCandidate, Provenance
from shared.records.consent import Answer, Signal, decode
from shared.records.embedded import Embedded
from shared.records.records import Kept, Reason, Record, Rejected, decode_records, encode_records
from shared.storage.memory.blobs import MemoryBlobs
from shared.web.wishes.respect import Respect
from tests.unit.crawling.judging.embedded.files import data_mining, made_by_ai, plain, with_xmp
from tests.unit.crawling.judging.embedded.signing import signed, training

FILES = {
    "xmp": with_xmp("jpeg", data_mining("DMI-PROHIBITED-GENAIMLTRAINING")),
    "c2pa": signed("png", training({"cawg.data_mining": "notAllowed"})),
    "ai": with_xmp("webp", made_by_ai()),
    "plain": plain("jpeg"),
}


async def test_files_that_refuse_are_opted_out_and_their_records_say_which_signal_it_was(make_worker):
    blobs = MemoryBlobs()
    for name, data in FILES.items():
        await blobs.put(f"inputs/{name}", data)
    found = await worked(
        make_worker(blobs),
        {name: Candidate(f"blob:inputs/{name}", "x", Provenance("blobs")) for name in FILES},
    )
    assert found["xmp"].outcome == Rejected(Reason.OPTED_OUT, "iptc: DMI-PROHIBITED-GENAIMLTRAINING")
    assert found["c2pa"].outcome == Rejected(Reason.OPTED_OUT, "c2pa: cawg.data_mining notAllowed")
    assert answers(found["xmp"]) == {Signal.IPTC: Answer.REFUSED}
    assert answers(found["c2pa"]) == {Signal.IPTC: Answer.ABSENT, Signal.C2PA: Answer.REFUSED}
    assert answers(found["plain"]) == {Signal.IPTC: Answer.ABSENT, Signal.C2PA: Answer.ABSENT}
    assert said(found["ai"]).ai_generated


async def test_an_image_of_an_earlier_dataset_keeps_what_its_file_said(make_worker):
    blobs = MemoryBlobs()
    await blobs.put("inputs/plain", FILES["plain"])
    earlier = Embedded(creator="Jane", c2pa_training="cawg.ai_training: allowed")
    stored = Candidate("blob:inputs/plain", "x", Provenance("datasets"), embedded=earlier)
    found = await worked(make_worker(blobs), {"plain": stored})
    assert said(found["plain"]) == earlier
    assert answers(found["plain"])[Signal.C2PA] is Answer.ALLOWED


async def worked(worker, candidates: dict[str, Candidate]) -> dict[str, Record]:
    """Returns the records, by name, as they are stored."""
    options = CrawlOptions(Filters(), None, Respect())
    numbered = [NumberedCandidate(*pair) for pair in enumerate(candidates.values())]
    result = await worker.work(
        Chunk(numbered, "shard", options), Deadline.after(SystemClock(), 30), lambda: False
    )
    return dict(zip(candidates, decode_records(encode_records(result.records)), strict=True))


def answers(record: Record):
    assert record.consent is not None
    return decode(record.consent.answers)


def said(record: Record) -> Embedded:
    assert isinstance(record.outcome, Kept)
    return record.outcome.facts.embedded
