"""Invisible characters in JSON and in texts for people."""

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.hidden import HIDDEN, showing_hidden, without_hidden
from shared.text.json_lines import json_line

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
SEEN = (
    "naïve",
    "नमस्ते",
    "\u0645\u06cc\u200c\u062e",
    "👩\u200d👩",
    "❤\ufe0f",
    ENGLAND,
    "Ω≈ç√",
    "コーヒー",
    "e\u0301",
)


@pytest.mark.parametrize(
    "hidden", [*BIDI, "\u200b", "\ufeff", "\xad", "\u2060", "\x00", "\x1b", "\x7f", "\U000e0041"]
)
def test_what_is_hidden_is_shown_or_left_out(hidden):
    assert without_hidden(f"a{hidden}b") == "ab"
    assert showing_hidden(f"a{hidden}b") == f"a<U+{ord(hidden):04X}>b"


@pytest.mark.parametrize("text", SEEN)
def test_what_is_seen_stays(text):
    assert without_hidden(text) == showing_hidden(text) == text


def test_whatever_is_hidden_is_not_printable():
    assert not any(
        chr(number).isprintable() for number in range(0x110000) if re.match(f"[{HIDDEN}]", chr(number))
    )


@given(st.text())
def test_shown_text_neither_reverses_nor_breaks_lines(text):
    for shown in (showing_hidden(text), without_hidden(text)):
        assert len(shown.splitlines()) <= 1
        assert not set(shown) & set(BIDI)
        assert not any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in shown)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)
    )
)
def test_json_on_one_line_is_one_line_for_every_reader_and_keeps_its_value(value):
    text = json_line(value).decode()
    assert len(text.splitlines()) == 1
    assert json.loads(text) == value
    assert not set(text) & set(BIDI)
