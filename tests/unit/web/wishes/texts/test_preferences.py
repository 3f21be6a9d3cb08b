"""Statements of preference: what they say about the training of AI, and that hostile ones cost little time."""

import time

import pytest

from shared.web.wishes.texts.preferences import Preference, preference_in


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("train-ai=n", Preference.DISALLOWED),
        ("Train-AI\t=  N", Preference.DISALLOWED),
        ("search=y train-ai=n", Preference.DISALLOWED),
        ("search=y; train-ai=n", Preference.DISALLOWED),
        ('train-ai="n";x=1', Preference.DISALLOWED),
        ("train-ai=?0", Preference.DISALLOWED),
        ("train-ai=y, train-ai=n", Preference.DISALLOWED),
        ("train-ai=y", Preference.ALLOWED),
        ("bots=n, train-ai=y", Preference.ALLOWED),
        ("search=n, ai-input=no, ai-use=n", Preference.UNKNOWN),
        ("train-ai", Preference.UNKNOWN),
        ("search=y;train-ai=n", Preference.UNKNOWN),
        ("not-train-ai=n", Preference.UNKNOWN),
    ],
)
def test_a_statement_is_read_as_owners_write_it(statement, expected):
    assert preference_in([statement]) is expected


@pytest.mark.parametrize(
    "statement", [" " * 500_000, "= " * 250_000, "a=" * 250_000, f"train-ai{' ' * 500_000}=n"]
)
def test_a_long_statement_costs_little(statement):
    began = time.process_time()
    preference_in([statement])
    assert time.process_time() - began < 1.0
