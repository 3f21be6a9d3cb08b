"""Reports of C2PA manifests are read to their end, and what later jobs learn of them is exact."""

import time

import pytest

from shared.crawling.judging.embedded.c2pa.report import UNREADABLE, Use, read_report, stored_uses, uses_text

ALLOWED = {"use": "allowed"}


def report(*assertions, others=0):
    manifests: dict[str, object] = {f"urn:{number}": {"assertions": []} for number in range(others)}
    return {
        "active_manifest": "urn:0",
        "manifests": manifests | {"urn:last": {"assertions": list(assertions)}},
    }


def training(entries, label="cawg.training-mining"):
    return {"label": label, "data": {"entries": entries}}


def refuses(found):
    return any(use.refuses for use in read_report(found).uses)


@pytest.mark.parametrize("others", [0, 500])
def test_the_last_of_many_manifests_counts(others):
    assert refuses(report(training({"cawg.ai_training": {"use": "notAllowed"}}), others=others))


def test_the_last_of_many_assertions_and_entries_counts():
    entries = {f"org.x{number}.ai_inference": ALLOWED for number in range(100)}
    last = training(entries | {"cawg.data_mining": {"use": "constrained"}})
    assert refuses(report(*[training({})] * 400, last))


@pytest.mark.parametrize("data", [None, {}, {"entries": []}, {"cawg.ai_training": {"use": "notAllowed"}}])
def test_an_assertion_of_another_form_refuses(data):
    assert read_report(report({"label": "c2pa.training-mining", "data": data})).uses == (UNREADABLE,)


def test_a_use_with_a_long_name_counts():
    assert refuses(report(training({f"{'x' * 70}.ai_training": {"use": "notAllowed"}})))
    assert not refuses(report(training({f"{'x' * 70}.ai_inference": {"use": "notAllowed"}})))


def test_later_jobs_learn_of_a_refusal_and_of_no_use_that_was_cut():
    uses = [Use(f"org.example{number}.ai_training", "allowed") for number in range(30)]
    assert not any(use.refuses for use in stored_uses(uses_text(uses)))
    text = uses_text([*uses, Use("cawg.data_mining", "notAllowed")])
    assert len(text) <= 500
    assert stored_uses(text)[0] == Use("cawg.data_mining", "notAllowed")


def test_a_report_of_eight_megabytes_costs_little():
    entries = {f"a{number}.b": "allowed" for number in range(400_000)}
    began = time.process_time()
    uses_text(read_report(report(training(entries))).uses)
    # it takes about two seconds; it would take hours if the time grew faster than the file
    assert time.process_time() - began < 30
