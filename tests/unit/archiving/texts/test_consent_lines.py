"""Each dataset says of each of its images which signals were looked for, and its records say it of all candidates."""

import gzip
import json
from dataclasses import replace

import pytest

from shared.archiving.options import Output
from shared.records.candidates import StoredRange
from shared.records.consent import Answer, Consent, Signal, decode, encode
from shared.records.delivered import read_delivered
from shared.records.reasons import opted_out
from shared.records.records import decode_records, encode_records

NOW = "2026-01-01T00:00:54+00:00"
ALLOWED = encode({Signal.ROBOTS: Answer.ALLOWED, Signal.RSL: Answer.ABSENT})
REFUSED = encode({Signal.ROBOTS: Answer.ALLOWED, Signal.AI_TXT: Answer.REFUSED})


def consenting(record):
    """Of four records, one was not checked, one is refused, and one came from another address than it was found at."""
    kind = record.index % 4
    if kind == 0:
        return record
    if kind == 1:
        return replace(record, outcome=opted_out(Signal.AI_TXT, "x"), consent=Consent(REFUSED, NOW))
    moved_to = f"https://other/{record.index}\u2028" if kind == 2 else None
    return replace(record, final_url=moved_to, consent=Consent(ALLOWED, NOW))


async def crawled(studio, form):
    order = await studio.crawl(24, output=Output(format=form))
    for name in order.record_blobs:
        found = decode_records(await studio.blobs.get(name))
        await studio.blobs.put(name, encode_records(map(consenting, found)))
    return order


@pytest.mark.parametrize("form", ["zip", "webdataset", "parquet"])
async def test_each_image_has_a_line_with_its_answers(studio, form):
    order = await crawled(studio, form)
    if form == "zip":
        with await studio.zip(order) as archive:
            names, body = set(archive.namelist()), archive.read("CONSENT.jsonl")
    else:
        await studio.archive(order)
        names, body = None, await studio.blobs.get(f"{order.prefix}CONSENT.jsonl")
    lines = {
        int(line["url"].split("/")[3].strip("\u2028")): line for line in map(json.loads, body.splitlines())
    }
    assert body.count(b"\n") == len(lines)
    assert {index % 4 for index in lines} == {0, 2, 3}
    assert len(lines) > 12
    for index, line in lines.items():
        assert line["signals"] == ({"robots": "allowed", "rsl": "absent"} if index % 4 else {})
        assert line["checked_at"] == (NOW if index % 4 else "")
        assert line["url"].startswith("https://other/" if index % 4 == 2 else "https://x/")
        assert names is None or line["file_name"] in names


async def test_the_records_have_the_answers_of_all_candidates_and_a_later_job_gets_them(studio):
    order = await crawled(studio, "zip")
    await studio.archive(order)
    packed = await studio.blobs.get(f"{order.prefix}records.jsonl.gz")
    for line in map(json.loads, gzip.decompress(packed).splitlines()):
        expected = (None, REFUSED, ALLOWED, ALLOWED)[line["index"] % 4]
        assert (line.get("consent"), line.get("consent_at")) == (expected, NOW if expected else None)

    async def pieces():
        yield packed

    rows = [row async for row in read_delivered(pieces(), "j1")]
    consents = [row.candidate(StoredRange("x", 0, 1)).consent for row in rows]
    assert consents[:3] == [None, Consent(REFUSED, NOW), Consent(ALLOWED, NOW)]
    assert decode(REFUSED)[Signal.AI_TXT] is Answer.REFUSED
