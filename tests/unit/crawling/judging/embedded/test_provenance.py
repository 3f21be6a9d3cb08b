"""What files say about who made them, how, and under which terms."""

from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from shared.archiving.texts.metadata import EMBEDDED_COLUMNS, annotation_fields
from shared.crawling.judging.judge import Judged, judge
from shared.crawling.options import Transform
from shared.records.candidates import Candidate, Provenance, StoredRange
from shared.records.consent import Answer, Answers, Signal
from shared.records.delivered import Delivered, fields_of
from shared.records.embedded import AI_SOURCE_TYPES, SILENT, Embedded
from shared.records.records import Kept, Reason, Record, Rejected, decode_records, encode_records
from tests.unit.crawling.judging.embedded.conditions import FILTERS, HEEDLESS, OPTIONS, said
from tests.unit.crawling.judging.embedded.files import (
    AI,
    XMP_FORMATS,
    iptc,
    made_by_ai,
    photoshop,
    plain,
    with_png_chunk,
    with_segment,
    with_xmp,
    xmp,
)
from tests.unit.crawling.judging.embedded.signing import CAPTURE, created, signed, training

RIGHTS = xmp(
    "<dc:creator><rdf:Seq><rdf:li>Jané</rdf:li><rdf:li>Joe</rdf:li></rdf:Seq></dc:creator>"
    '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">© Jané</rdf:li><rdf:li xml:lang="de">DE</rdf:li></rdf:Alt>'
    "</dc:rights><photoshop:Credit>Jané / Agency</photoshop:Credit>"
    "<xmpRights:WebStatement>https://example.org/terms?a=1&amp;b=2</xmpRights:WebStatement>"
    '<plus:Licensor><rdf:Seq><rdf:li rdf:parseType="Resource"><plus:LicensorName>A</plus:LicensorName>'
    "<plus:LicensorURL>https://example.org/buy</plus:LicensorURL></rdf:li></rdf:Seq></plus:Licensor>"
    "<plus:OtherConstraints><rdf:Alt><rdf:li>Ask</rdf:li></rdf:Alt></plus:OtherConstraints>"
    f"<Iptc4xmpExt:DigitalSourceType>{CAPTURE}</Iptc4xmpExt:DigitalSourceType>"
)
SAID = Embedded(
    creator="Jané, Joe",
    copyright_notice="© Jané",
    credit_line="Jané / Agency",
    rights_url="https://example.org/terms?a=1&b=2",
    licensor_url="https://example.org/buy",
    digital_source_type="digitalCapture",
    data_mining_constraints="Ask",
)
RECORDS = iptc(creator="Jané", credit_line="Agency", copyright_notice="© 2026")
IPTC_SAID = Embedded(creator="Jané", credit_line="Agency", copyright_notice="© 2026")


@pytest.mark.parametrize("image_format", XMP_FORMATS)
def test_the_texts_of_xmp_are_read_in_every_format(image_format):
    assert said(with_xmp(image_format, RIGHTS)) == SAID


def raw_profile(name: str, content: bytes) -> bytes:
    text = f"\n{name}\n{len(content):8}\n{content.hex()}\n"
    return with_png_chunk(b"tEXt", f"Raw profile type {name}".encode() + b"\0" + text.encode())


@pytest.mark.parametrize(
    "data",
    [
        with_segment(0xED, b"Photoshop 3.0\0" + photoshop(RECORDS)),
        raw_profile("iptc", photoshop(RECORDS)),
        raw_profile("iptc", RECORDS),
    ],
    ids=["JPEG", "PNG with resources", "PNG"],
)
def test_the_texts_of_iptc_records_are_read(data):
    assert said(data) == IPTC_SAID


def test_older_iptc_records_in_the_encoding_of_windows_are_read():
    old = b"\x1c\2\x50\0\4Jan\xe9"
    assert said(with_segment(0xED, b"Photoshop 3.0\0" + photoshop(old))).creator == "Jané"


def test_xmp_is_preferred_to_iptc_records():
    both = with_segment(0xED, b"Photoshop 3.0\0" + photoshop(RECORDS), with_xmp("jpeg", RIGHTS))
    assert said(both) == SAID


def test_a_raw_profile_of_xmp_is_read():
    assert said(raw_profile("xmp", RIGHTS)) == SAID


@pytest.mark.parametrize("image_format", XMP_FORMATS)
def test_the_generator_and_the_source_type_of_a_c2pa_manifest_are_read(image_format):
    found = said(signed(image_format, created(AI)))
    assert found == Embedded(
        digital_source_type="trainedAlgorithmicMedia", c2pa_generator="test camera 1", c2pa_validity="valid"
    )
    assert found.ai_generated


def test_the_source_type_that_means_ai_is_preferred():
    assert said(signed("jpeg", created(AI), data=with_xmp("jpeg", made_by_ai(CAPTURE)))).ai_generated
    assert said(signed("jpeg", data=with_xmp("jpeg", made_by_ai(AI)))).ai_generated


@pytest.mark.parametrize("code", sorted(AI_SOURCE_TYPES))
def test_images_made_by_ai_are_dropped_or_kept_alone_as_the_spec_says(code):
    drop = replace(OPTIONS, filters=FILTERS.model_copy(update={"ai_generated": "drop"}))
    only = replace(OPTIONS, filters=FILTERS.model_copy(update={"ai_generated": "only"}))
    made, taken = (
        with_xmp("png", made_by_ai(AI.replace("trainedAlgorithmicMedia", code))),
        with_xmp("png", RIGHTS),
    )
    assert judge(made, drop) == Rejected(Reason.AI_FILTERED, code)
    assert said(made, only).digital_source_type == code
    assert said(made, OPTIONS).ai_generated
    assert said(taken, drop) == SAID
    assert judge(taken, only) == Rejected(Reason.AI_FILTERED, "digitalCapture")
    assert judge(plain("png"), only) == Rejected(Reason.AI_FILTERED, "nothing is declared")


def test_what_the_file_said_is_kept_although_the_delivered_copy_has_no_metadata():
    judged = judge(with_xmp("jpeg", RIGHTS), replace(HEEDLESS, transform=Transform()))
    assert isinstance(judged, Judged)
    assert judged.facts.embedded == SAID
    assert b"Jan" not in judged.data


def test_without_a_transform_the_delivered_file_keeps_its_metadata():
    data = signed("jpeg", data=with_xmp("jpeg", RIGHTS))
    judged = judge(data, HEEDLESS)
    assert isinstance(judged, Judged)
    assert judged.data == data


def test_records_and_annotations_have_what_the_file_says():
    judged = judge(with_xmp("jpeg", made_by_ai()), OPTIONS)
    assert isinstance(judged, Judged)
    kept = Kept("shard", 0, judged.facts)
    record = Record(0, Candidate("https://example.org/1.jpg", "cat", Provenance("urls")), kept)
    assert list(decode_records(encode_records([record]))) == [record]
    assert fields_of(record)["embedded"] == {"digital_source_type": "trainedAlgorithmicMedia"}
    fields = annotation_fields(record, kept, "1.jpg")
    assert {name: fields[name] for name in EMBEDDED_COLUMNS if fields[name]} == {
        "digital_source_type": "trainedAlgorithmicMedia",
        "ai_generated": "yes",
    }


def test_a_record_of_a_file_that_says_nothing_has_no_such_field():
    judged = judge(plain("jpeg"), OPTIONS)
    assert isinstance(judged, Judged)
    record = Record(0, Candidate("https://a/1", "cat", Provenance("urls")), Kept("shard", 0, judged.facts))
    assert "embedded" not in fields_of(record)
    assert b"embedded" not in encode_records([record])


def test_what_the_file_said_is_known_to_later_jobs_although_the_stored_copy_has_no_metadata():
    file = with_xmp("jpeg", made_by_ai())
    uses = training({"cawg.ai_training": "notAllowed"})
    judged = judge(signed("jpeg", uses, data=file), replace(HEEDLESS, transform=Transform()))
    assert isinstance(judged, Judged)
    kept = Kept("shard", 0, judged.facts)
    line = fields_of(Record(0, Candidate("https://a/1", "cat", Provenance("urls")), kept))
    again = TypeAdapter(Delivered).validate_python(line).candidate(StoredRange("shard", 0, 1))
    later = judge(judged.data, HEEDLESS, earlier=again.embedded)
    assert isinstance(later, Judged)
    assert later.facts.embedded == judged.facts.embedded
    assert later.facts.embedded.ai_generated
    answers = Answers()
    assert judge(judged.data, OPTIONS, answers, again.embedded) == Rejected(
        Reason.OPTED_OUT, "c2pa: cawg.ai_training notAllowed"
    )
    assert answers.found[Signal.C2PA] is Answer.REFUSED


def test_an_earlier_prohibition_of_data_mining_and_an_earlier_ai_stay():
    earlier = Embedded(
        data_mining="DMI-PROHIBITED", digital_source_type="trainedAlgorithmicMedia", creator="Jane"
    )
    now = Embedded(data_mining="DMI-ALLOWED", digital_source_type="digitalCapture", credit_line="Agency")
    assert now.completed(earlier) == replace(earlier, credit_line="Agency")
    assert SILENT.completed(now) == now
