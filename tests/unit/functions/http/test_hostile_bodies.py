"""Every endpoint that takes JSON refuses what readers of JSON understand in different ways.

The cases are made from the declarations, so a new endpoint is tested at once.
"""

import json
import re

import pytest

from tests.unit.functions.http.http_calls import DECLARED, Answered, Caller, short

WITH_BODY = sorted(name for name, declared in DECLARED.items() if declared.body is not None)
TWICE = '{"a": 1, "a": 2}'


async def _send(caller: Caller, name: str, body: bytes) -> Answered:
    declared = DECLARED[name]
    own = "me" if declared.user else "nobodys"
    path = re.sub(r"\{\w+\}", own, short(declared.path))
    return await caller.call(declared.method, path, "", body, {"Content-Type": "application/json"})


@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_body_that_is_no_object_of_json_is_refused(caller, name):
    bodies = (b"", b" ", b"null", b"[]", b"1", b'"x"', b"{", b"{'a': 1}", b"\xff\xfe\x00", b"[" * 100_000)
    for body in bodies:
        answered = await _send(caller, name, body)
        assert (answered.status, answered.body["code"]) == (400, "invalid_request"), body[:20]


@pytest.mark.parametrize("name", WITH_BODY)
async def test_json_that_can_be_read_in_two_ways_is_refused_whatever_else_it_says(caller, name):
    valid = json.dumps(DECLARED[name].example)
    doubled = f"{valid[:-1]}, {valid[1:]}"
    flaws = (
        doubled,
        *(
            f'{valid[:-1]}, "more": {flaw}}}'
            for flaw in ("NaN", "-Infinity", "1e999", "1" * 50, '"\\ud800"', TWICE)
        ),
        f'{valid[:-1]}, "more": {"[" * 65}{"]" * 65}}}',
    )
    for body in flaws:
        answered = await _send(caller, name, body.encode())
        assert (answered.status, answered.body["code"]) == (400, "invalid_request"), body
        assert answered.errors, body


@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_field_that_is_not_known_is_refused_by_its_name(caller, name):
    example = DECLARED[name].example
    assert isinstance(example, dict)
    answered = await _send(caller, name, json.dumps({**example, "is_admin": True}).encode())
    assert answered.status == 400
    assert ("is_admin", "is not a known field") in answered.errors


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("rehydrate_dataset", "days", ("7", 7.0, 7.5, True, 0, -1, 366, [7])),
        ("change_dataset", "retention_days", ("7", 7.0, True, 0, 36_501)),
        ("change_dataset", "legal_hold", ("true", 1, 0, "")),
        ("move_dataset", "even_if_in_use", ("true", 1)),
        ("move_dataset", "tier", ("HOT", ["hot"], 1, None)),
        ("rotate_webhook_secret", "overlap_hours", ("24", 24.0, True, -1, 169)),
        ("create_key", "expires_at", (1_900_000_000, "2027-01-31", "9999-12-31T23:59:59-14:00", True)),
        ("create_key", "scopes", ("read", {"read": 1}, [], ["root"])),
        ("change_user", "tier", ("FREE", 1, ["pro"])),
    ],
)
async def test_a_value_of_another_type_is_not_turned_into_the_right_one(caller, name, field, values):
    example = DECLARED[name].example
    assert isinstance(example, dict)
    for value in values:
        answered = await _send(caller, name, json.dumps({**example, field: value}).encode())
        assert answered.status == 400, value
        assert [error[0].partition(".")[0] for error in answered.errors] == [field], value
