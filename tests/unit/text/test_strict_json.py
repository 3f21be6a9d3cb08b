"""JSON from outside has one meaning, or is refused with an error that names the field."""

import json
import time
from typing import Any

import pytest

from shared.errors import InvalidRequest
from shared.text.strict_json import MAX_DEPTH, FlawedJson, read_json

HALF = "must be valid Unicode: it has half of a surrogate pair"
TWICE = "is given twice"
DEEP = "is nested too deeply; it must have at most 64 levels"
FLAWED = [
    (r'{"name": "\ud83d"}', "name", HALF),
    (r'{"name": "\uDE00\uD83D"}', "name", HALF),
    (r'{"labels": {"cat": ["kitten", "\udfff"]}}', "labels.cat.1", HALF),
    (r'{"labels": {"a\ud800": []}}', "labels.a\ufffd", f"its name {HALF}"),
    (r'["\\\ud83d"]', "0", HALF),
    (r'"\ud83d"', "", HALF),
    ('{"a": 1, "a": 1}', "a", TWICE),
    (r'{"a": 1, "\u0061": 2}', "a", TWICE),
    ('{"sources": [{"type": "urls"}, {"type": "urls", "items": [], "type": "blobs"}]}', "sources.1.type", TWICE),
    ('{"a": NaN}', "a", "must be a number, not NaN"),
    ('{"a": [1, -Infinity]}', "a.1", "must be a number, not -Infinity"),
    ('{"a": 1e999}', "a", "is too large a number"),
    ('{"a": -1E+400}', "a", "is too large a number"),
    ('{"seed": 1' + "0" * 5000 + "}", "seed", "has too many digits"),
    ('{"seed": -1' + "0" * 50 + "}", "seed", "has too many digits"),
    ('{"a": ' * MAX_DEPTH + "[1]" + "}" * MAX_DEPTH, ".".join(["a"] * MAX_DEPTH), DEEP),
]  # fmt: skip


@pytest.mark.parametrize(("text", "field", "message"), FLAWED, ids=[case[0][:40] for case in FLAWED])
@pytest.mark.parametrize("encoded", [False, True])
def test_what_readers_of_json_do_not_agree_on_is_refused_by_its_field(text, field, message, encoded):
    with pytest.raises(FlawedJson) as refused:
        read_json(text.encode() if encoded else text, "The body")
    [told] = refused.value.fields
    assert (told.field, told.message) == (field, message)
    assert refused.value.detail == "The body is not valid JSON."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "The body is not JSON: line 1, column 2."),
        ('{"a": 1,\n "b": 2}}', "The body is not JSON: line 2, column 9."),
        ("", "The body is not JSON: line 1, column 1."),
        ("{'a': 1}", "The body is not JSON: line 1, column 2."),
        ('{"a": 01}', "The body is not JSON: line 1, column 8."),
        ('{"a": "\n"}', "The body is not JSON: line 1, column 8."),
        (b'{"a": "\xff"}', "The body is not UTF-8."),
        (b'{"a": "\xed\xa0\xbd"}', "The body is not UTF-8."),
        ('{"a": "\ud83d"}', "The body is not UTF-8."),
        ("[" * 100_000, f"The body is not JSON that can be read: it {DEEP}."),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text, message):
    with pytest.raises(InvalidRequest) as refused:
        read_json(text, "The body")
    assert (refused.value.detail, refused.value.fields) == (message, ())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_sound_json_is_read_as_it_is_meant_in_every_unicode_encoding(encoding):
    value: dict[str, Any] = {
        "name": "caf\u00e9 \U0001f600",
        "n": [1, -2.5, 1e30, 2**63, True, None, {}],
        "": "\u0000",
    }
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        assert read_json(text.encode(encoding), "The body") == value
    assert read_json("\ufeff" + json.dumps(value), "The body") == value
    assert read_json("[" * MAX_DEPTH + "]" * MAX_DEPTH, "The body")


def test_the_plain_fields_beside_a_flaw_are_still_known():
    with pytest.raises(FlawedJson) as refused:
        read_json(r'{"job_id": "mine-1", "n": 1, "name": "\ud83d", "labels": {}}', "The message")
    assert refused.value.data == {"job_id": "mine-1", "n": 1}
    with pytest.raises(FlawedJson) as refused:
        read_json('{"job_id": "mine-1", "name": "x", "name": "y"}', "The message")
    assert refused.value.data == {"job_id": "mine-1"}


@pytest.mark.parametrize(
    "text", ["[" + "[]," * 1_300_000 + "NaN]", "[" + r'"\ud83d",' * 400_000 + "1]", '{"a":' + "9" * 3_900_000 + "}"]
)  # fmt: skip
def test_the_largest_body_is_refused_within_seconds(text):
    begun = time.process_time()
    with pytest.raises(FlawedJson) as refused:
        read_json(text, "The body")
    assert time.process_time() - begun < 8  # some 0.6, or five times that on a slow machine
    assert len(refused.value.fields) <= 20
