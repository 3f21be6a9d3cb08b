"""The answers of signals, and their short form in records."""

from itertools import product

import pytest

from shared.records.candidates import Candidate, Provenance
from shared.records.consent import Answer, Answers, Consent, Signal, consent_of, decode, encode, stricter
from shared.records.reasons import opted_out
from shared.records.records import Reason, Record, Rejected, decode_records, encode_records

NOW = "2026-11-29T12:00:00+00:00"


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("answer", Answer)
def test_every_answer_of_every_signal_survives_the_short_form(signal, answer):
    code = encode({signal: answer})
    assert len(code) == len(Signal)
    assert decode(code).get(signal, Answer.NOT_CHECKED) is answer
    assert len(decode(code)) == (answer is not Answer.NOT_CHECKED)


@pytest.mark.parametrize("code", ["", "y", "zzz", "." * 99])
def test_a_short_form_of_another_version_is_read_as_far_as_possible(code):
    assert set(decode(code).values()) <= {Answer.ALLOWED, Answer.ABSENT}


@pytest.mark.parametrize(("one", "other"), list(product(Answer, Answer)))
def test_the_strictest_answer_counts_in_any_order(one, other):
    for first, second in ((one, other), (other, one)):
        answers = Answers()
        answers.note(Signal.RSL, first)
        answers.note(Signal.RSL, second)
        assert answers.found == {Signal.RSL: max(one, other, key=list(Answer).index)}
    assert stricter({Signal.RSL: one}, {Signal.RSL: other}) == answers.found


def test_a_rejection_begins_with_the_signals_name():
    assert opted_out(Signal.AI_TXT, "Disallow: *.jpg") == Rejected(
        Reason.OPTED_OUT, "ai_txt: Disallow: *.jpg"
    )


def test_a_record_keeps_its_consent():
    candidate = Candidate("https://example.org/1.jpg", "cat", Provenance("urls"), consent=Consent(".", NOW))
    record = Record(0, candidate, Rejected(Reason.OPTED_OUT), consent=Consent("-n", NOW))
    assert list(decode_records(encode_records([record]))) == [record]


def test_there_is_no_consent_if_nothing_was_looked_for():
    assert consent_of(None, Answers(), NOW) is None


def test_the_answers_of_an_image_are_merged_with_earlier_ones_and_keep_their_time():
    earlier = Consent(encode({Signal.ROBOTS: Answer.ABSENT, Signal.C2PA: Answer.REFUSED}), "2020")
    answers = Answers({Signal.ROBOTS: Answer.ALLOWED, Signal.TDMREP: Answer.ABSENT})
    merged = consent_of(earlier, answers, NOW)
    assert merged is not None
    assert merged.checked_at == "2020"
    assert decode(merged.answers) == {
        Signal.ROBOTS: Answer.ALLOWED,
        Signal.TDMREP: Answer.ABSENT,
        Signal.C2PA: Answer.REFUSED,
    }


def test_an_image_that_is_not_fetched_again_keeps_its_earlier_consent():
    earlier = Consent(encode({Signal.ROBOTS: Answer.ALLOWED}), "2020")
    assert consent_of(earlier, Answers(), NOW) == earlier
