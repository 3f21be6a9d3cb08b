"""All labels follow one rule, wherever they come from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.text.labels import Label, clean_label

CLEAN = {
    "a line break": ("cat\ndog", "cat dog"),
    "a line break of Windows": ("cat\r\ndog", "cat dog"),
    "a tab": ("a\tb", "a b"),
    "several spaces": ("  a  b ", "a b"),
    "a space that does not break": ("a\u00a0b", "a b"),
    "the space of Japanese": ("a\u3000b", "a b"),
    "a line separator": ("a\u2028b", "a b"),
    "a paragraph separator": ("a\u2029b", "a b"),
    "next line": ("a\x85b", "a b"),
    "the blank of Braille": ("a\u2800b", "a b"),
    "NUL": ("a\0b", "ab"),
    "escape": ("a\x1b[31mb", "a[31mb"),
    "NFD": ("cafe\u0301", "caf\u00e9"),
    "NFC": ("caf\u00e9", "caf\u00e9"),
    "a mark behind what is invisible": ("cafe\u200b\u0301", "caf\u00e9"),
    "text turned round": ("\u202etac", "tac"),
    "isolates": ("\u2066cat\u2069", "cat"),
    "marks of direction": ("c\u200ea\u200ft\u061c", "cat"),
    "a space without width": ("c\u200bat", "cat"),
    "a joiner between letters": ("c\u200da\u200ct", "cat"),
    "a byte order mark": ("\ufeffcat", "cat"),
    "a soft hyphen": ("c\u00adat", "cat"),
    "a word joiner": ("c\u2060at", "cat"),
    "fillers of Hangul": ("\u3164c\u115fat\uffa0", "cat"),
    "a grapheme joiner": ("c\u034fat", "cat"),
    "a variation selector": ("cat\ufe0f\U000e0101", "cat"),
    "tags": ("cat\U000e0063\U000e0061", "cat"),
    "half a character": ("c\ud800at", "cat"),
    "what is no character": ("c\uffffa\ufdd0t", "cat"),
    "too long": ("x" * 300, "x" * 200),
    "too long, with a space at the limit": ("x" * 199 + " y", "x" * 199),
    "a family": ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
    "an emoji in two styles": ("\u2764\ufe0f", "\u2764"),
    "the flag of England": (
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ),
    "a flag of nowhere": ("\U0001f3f4\U000e0067\U000e0067\U000e007f", "\U0001f3f4"),
    "Persian": ("\u06a9\u062a\u0627\u0628\u200c\u0647\u0627", "\u06a9\u062a\u0627\u0628\u200c\u0647\u0627"),
    "a joiner of Persian that changes nothing": ("\u0627\u200c\u0628", "\u0627\u0628"),
    "Hindi": ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
    "a joiner of Hindi that changes nothing": ("\u0915\u200d\u0937", "\u0915\u0937"),
    "a number": (7, "7"),
    "nothing but space": (" \n\t", None),
    "nothing to be seen": ("\u200b\u202e\ufeff", None),
    "nothing": ("", None),
    "no value": (None, None),
    "no number": (float("nan"), None),
    "a list": (["cat"], None),
    "an object": ({"a": 1}, None),
}


@pytest.mark.parametrize("case", CLEAN)
def test_a_label_is_one_line_of_what_can_be_seen(case):
    value, label = CLEAN[case]
    assert clean_label(value) == label


@given(
    st.text(max_size=250)
    | st.text("ab\u0301\u200c\u200d\u0628\u0627\u094d\U0001f468\ufe0f \n\0", max_size=30)
)
def test_a_clean_label_stays_as_it_is_and_can_be_written_down(text):
    label = clean_label(text)
    if label is not None:
        assert clean_label(label) == label
        assert label == " ".join(label.split())
        assert 0 < len(label) <= 200
        label.encode()


label = TypeAdapter(Label)


@pytest.mark.parametrize("text", [case[0] for case in CLEAN.values() if isinstance(case[0], str)])
def test_a_label_in_a_spec_is_the_same_label_or_refused(text):
    try:
        found = label.validate_python(text)
    except ValidationError as error:
        [told] = error.errors()
        assert clean_label(text) is None or len(text) > 200 or "control characters" in told["msg"]
    else:
        assert found == clean_label(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must not be empty"),
        ("\u200b", "must not be empty"),
        ("a\0", "must not contain control characters"),
        ("\ud83d", "must not contain control characters"),
        ("x" * 201, "200 characters"),
        ("x" * 5000, "200 characters"),
        (7, "string"),
    ],
)
def test_what_no_label_can_be_is_refused_in_a_spec(text, told):
    with pytest.raises(ValidationError, match=told):
        label.validate_python(text)


IGNORABLE = (
    "ad-ad 34f-34f 61c-61c 115f-1160 17b4-17b5 180b-180f 200b-200f 202a-202e 2060-206f 3164-3164 fe00-fe0f feff-feff "
    "ffa0-ffa0 fff0-fff8 1bca0-1bca3 1d173-1d17a e0000-e0fff"
)


def test_no_ignorable_character_makes_another_label():
    """Tests all of Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties.txt) where they have no effect."""
    for ends in IGNORABLE.split():
        first, last = (int(end, 16) for end in ends.split("-"))
        assert {clean_label(f"c{chr(number)}at") for number in range(first, last + 1)} == {"cat"}
