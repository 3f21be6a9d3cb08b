"""Files that refuse use in datasets: every signal in every format that can carry it."""

import pytest

from shared.crawling.judging.judge import Judged, judge
from shared.records.consent import Answer, Answers, Signal
from shared.records.records import Reason, Rejected
from tests.unit.crawling.judging.embedded.conditions import HEEDLESS, OPTIONS
from tests.unit.crawling.judging.embedded.files import XMP_FORMATS, data_mining, plain, with_xmp, xmp
from tests.unit.crawling.judging.embedded.signing import signed, training

PROHIBITED = (
    "DMI-PROHIBITED",
    "DMI-PROHIBITED-AIMLTRAINING",
    "DMI-PROHIBITED-GENAIMLTRAINING",
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING",
    "DMI-PROHIBITED-SEECONSTRAINT",
    "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR",
    "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR",
)


def opted_out(detail: str) -> Rejected:
    return Rejected(Reason.OPTED_OUT, detail)


@pytest.mark.parametrize("image_format", XMP_FORMATS)
@pytest.mark.parametrize("code", PROHIBITED)
def test_an_image_whose_xmp_prohibits_data_mining_is_opted_out(image_format, code):
    answers = Answers()
    assert judge(with_xmp(image_format, data_mining(code)), OPTIONS, answers) == opted_out(f"iptc: {code}")
    assert answers.found == {Signal.IPTC: Answer.REFUSED}


@pytest.mark.parametrize("image_format", XMP_FORMATS)
@pytest.mark.parametrize(
    ("code", "answer"), [("DMI-ALLOWED", Answer.ALLOWED), ("DMI-UNSPECIFIED", Answer.ABSENT)]
)
def test_an_image_whose_xmp_does_not_prohibit_it_is_kept_with_the_code(image_format, code, answer):
    answers = Answers()
    judged = judge(with_xmp(image_format, data_mining(code)), OPTIONS, answers)
    assert isinstance(judged, Judged)
    assert judged.facts.embedded.data_mining == code
    assert answers.found == {Signal.IPTC: answer, Signal.C2PA: Answer.ABSENT}


@pytest.mark.parametrize(
    "packet",
    [
        xmp(attributes='plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"'),
        xmp('<plus:DataMining rdf:resource="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"/>'),
        xmp("<plus:DataMining> dmi-prohibited\n</plus:DataMining>"),
        xmp("<plus:DataMining>&#x44;MI-PROHIBITED</plus:DataMining>"),
        xmp("<plus:DataMining>Prohibited</plus:DataMining>"),
        xmp(
            "<plus:DataMining>DMI-ALLOWED</plus:DataMining><plus:DataMining>DMI-PROHIBITED</plus:DataMining>"
        ),
        xmp("<plus:DataMining><rdf:Bag><rdf:li>DMI-PROHIBITED</rdf:li></rdf:Bag></plus:DataMining>"),
        data_mining("DMI-PROHIBITED").replace(b"plus:", b"p:").replace(b":plus=", b":p="),
        data_mining("DMI-PROHIBITED").decode().encode("utf-16"),
    ],
    ids=["attribute", "resource", "lower case", "reference", "word", "two codes", "bag", "prefix", "UTF-16"],
)
def test_every_way_to_write_the_property_is_read(packet):
    assert judge(with_xmp("jpeg", packet), OPTIONS) == opted_out("iptc: DMI-PROHIBITED")


@pytest.mark.parametrize("image_format", XMP_FORMATS)
@pytest.mark.parametrize("family", ["c2pa", "cawg"])
@pytest.mark.parametrize("use", ["data_mining", "ai_training", "ai_generative_training"])
@pytest.mark.parametrize("word", ["notAllowed", "constrained"])
def test_an_image_whose_c2pa_manifest_does_not_allow_training_is_opted_out(image_format, family, use, word):
    assertion = training({f"{family}.{use}": word}, f"{family}.training-mining")
    answers = Answers()
    judged = judge(signed(image_format, assertion), OPTIONS, answers)
    assert judged == opted_out(f"c2pa: {family}.{use} {word}")
    assert answers.found == {Signal.IPTC: Answer.ABSENT, Signal.C2PA: Answer.REFUSED}


@pytest.mark.parametrize("image_format", XMP_FORMATS)
def test_an_image_whose_c2pa_manifest_allows_training_is_kept(image_format):
    answers = Answers()
    uses = {"cawg.ai_training": "allowed", "cawg.data_mining": "allowed", "cawg.ai_inference": "notAllowed"}
    judged = judge(signed(image_format, training(uses)), OPTIONS, answers)
    assert isinstance(judged, Judged)
    assert judged.facts.embedded.c2pa_validity == "valid"
    assert answers.found[Signal.C2PA] is Answer.ALLOWED


@pytest.mark.parametrize("name", ["ai_training", "org.example.data_mining"])
def test_a_use_of_another_family_refuses_too(name):
    assert judge(signed("jpeg", training({name: "notAllowed"})), OPTIONS) == opted_out(
        f"c2pa: {name} notAllowed"
    )


def test_the_strictest_of_two_assertions_counts():
    old = training({"c2pa.ai_training": "allowed"}, "c2pa.training-mining")
    judged = judge(signed("jpeg", old, training({"cawg.ai_training": "notAllowed"})), OPTIONS)
    assert judged == opted_out("c2pa: cawg.ai_training notAllowed")


def test_a_refusal_counts_although_the_image_was_changed_after_it_was_signed():
    data = bytearray(signed("jpeg", training({"cawg.ai_training": "notAllowed"})))
    data[-10] ^= 1
    assert judge(bytes(data), OPTIONS) == opted_out("c2pa: cawg.ai_training notAllowed")
    judged = judge(bytes(data), HEEDLESS)
    assert isinstance(judged, Judged)
    assert judged.facts.embedded.c2pa_validity == "invalid"


def test_a_spec_can_ignore_what_files_refuse_and_the_answers_still_say_it():
    answers = Answers()
    file = with_xmp("jpeg", data_mining("DMI-PROHIBITED"))
    judged = judge(signed("jpeg", training({"cawg.ai_training": "notAllowed"}), data=file), HEEDLESS, answers)
    assert isinstance(judged, Judged)
    assert judged.facts.embedded.data_mining == "DMI-PROHIBITED"
    assert judged.facts.embedded.c2pa_training == "cawg.ai_training: notAllowed"
    assert answers.found == {Signal.IPTC: Answer.REFUSED, Signal.C2PA: Answer.REFUSED}


@pytest.mark.parametrize("image_format", [*XMP_FORMATS, "bmp"])
def test_both_signals_are_absent_in_a_plain_image(image_format):
    answers = Answers()
    judged = judge(plain(image_format), OPTIONS, answers)
    assert isinstance(judged, Judged)
    assert not judged.facts.embedded.fields
    assert answers.found == {Signal.IPTC: Answer.ABSENT, Signal.C2PA: Answer.ABSENT}
