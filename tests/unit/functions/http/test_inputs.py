"""An error about a call's query, headers or path names what is wrong. Nothing from outside leads to a 500."""

import re
from urllib.parse import unquote_plus

import pytest

from tests.unit.functions.http.http_calls import DECLARED, ENDPOINTS, Caller, short

CATS = {"keywords": ["cat"]}
LISTS = ["jobs", "datasets"]
LIMIT = "must be a whole number from 1 to 100"
CURSOR = "must be the cursor in the `next` of a list"
PRINTABLE = "must be 1 to 255 printable ASCII characters"


KNOWN = {
    (declared.method, short(declared.path)): re.sub(
        ", ([a-z]+)$", r" and \1", ", ".join(sorted(declared.query))
    )
    for declared in DECLARED.values()
}


def _as_shown(quoted: str) -> str:
    """Returns the first 100 characters of a decoded value, with U+FFFD for those that cannot be shown."""
    text = unquote_plus(quoted)[:100]
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def _path(route: str) -> str:
    return re.sub(r"\{\w+\}", "none", route)


@pytest.mark.parametrize(("method", "route"), ENDPOINTS)
async def test_an_unknown_query_parameter_is_named_with_the_accepted_ones(caller, method, route):
    known = KNOWN[method, route] or "none"
    for query in ("color=red", "color=", "color", "color=a&color=b"):
        answered = await caller.call(method, _path(route), query, b"{}", {})
        unknown = ("color", f"is not a parameter of this call, which accepts {known}")
        assert (answered.status, answered.errors[0]) == (400, unknown)
        assert all(message.startswith("is missing") for _, message in answered.errors[1:])


@pytest.mark.parametrize("path", LISTS)
async def test_every_wrong_parameter_of_a_list_is_named(caller, path):
    unknown = f"is not a parameter of this call, which accepts {KNOWN['GET', path]}"
    for query, errors in [
        ("Limit=5", [("Limit", unknown)]),
        ("limit=5&limit=6", [("limit", "is given twice")]),
        ("limit=5&limit=5", [("limit", "is given twice")]),
        ("limit=&limit=", [("limit", "is given twice")]),
        ("limit=5&a=1&b=2", [("a", unknown), ("b", unknown)]),
        ("%00%F0%9F%98%80=1", [("\ufffd\U0001f600", unknown)]),
        ("%ff=1", [("\ufffd", unknown)]),
        ("=1", [("", unknown)]),
        ("x" * 5000 + "=1", [("x" * 100, unknown)]),
    ]:
        answered = await caller.get(path, query)
        assert (answered.status, answered.errors) == (400, errors), query
    many = await caller.get(path, "&".join(f"p{number}=1" for number in range(101)))
    assert (many.status, many.body["detail"]) == (
        400,
        "The query has too many parameters; it must have at most 100.",
    )


@pytest.mark.parametrize("path", LISTS)
async def test_the_parameter_for_the_hosts_key_is_accepted_and_occurs_in_no_link(caller, path):
    for _ in range(2):
        await caller.post("jobs", CATS)
    answered = await caller.get(path, "code=secret&limit=1")
    assert answered.status == 200
    assert "secret" not in str(answered.body)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "limit",
    [
        *(
            "0",
            "101",
            "-1",
            "%2B1",
            "+1",
            "1.0",
            "1e1",
            "01",
            "000000001000000",
            "9" * 5000,
            "",
            "%20",
            "1_0",
        ),
        *("5,6", "many", "%D9%A5", "%EF%BC%95", "%C2%B2", "0x10", "1%00", "true", "NaN"),
    ],
)
async def test_a_limit_that_is_not_a_plain_number_within_its_range_is_refused(caller, path, limit):
    answered = await caller.get(path, f"limit={limit}")
    assert (answered.status, answered.errors) == (400, [("limit", f"is {_as_shown(limit)!r}; it {LIMIT}")])


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", ["1", "20", "99", "100"])
async def test_a_limit_within_its_range_is_accepted(caller, path, limit):
    assert (await caller.get(path, f"limit={limit}")).status == 200


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "cursor",
    ["", "x", "job1", "~", "%ED%A0%BD", "%00", "'", "0" * 14, "0" * 14 + "-", "0" * 14 + "-a/b", "x" * 9000],
)
async def test_a_cursor_of_another_form_than_those_of_lists_is_refused(caller, path, cursor):
    answered = await caller.get(path, f"cursor={cursor}")
    assert (answered.status, answered.errors) == (400, [("cursor", f"is {_as_shown(cursor)!r}; it {CURSOR}")])


@pytest.mark.parametrize(
    "key", ["\u00e9", "\ud83d", "a\udce9", "a\x00", "a\tb", "", "k" * 256, "\u0661", "\x7f"]
)
async def test_an_idempotency_key_that_is_not_printable_ascii_is_refused_without_being_repeated(caller, key):
    answered = await caller.post("jobs", CATS, Idempotency_Key=key)
    assert (answered.status, answered.errors) == (400, [("Idempotency-Key", PRINTABLE)])
    assert (await caller.get("jobs")).body["items"] == []


@pytest.mark.parametrize("key", ["", " ", "wrong", "\u00e9", "\ud83d", "a\udce9", "x" * 100_000, "the-key "])
async def test_an_unknown_api_key_of_any_text_is_refused_with_401(app, key):
    assert (await Caller(app, key).get("jobs")).status == 401


async def test_without_a_valid_api_key_a_call_gets_no_error_but_401(app):
    assert (await Caller(app, "wrong").get("jobs", "state=failed&limit=0")).status == 401
    assert (await Caller(app, "wrong").post("jobs", b"{")).status == 401


@pytest.mark.parametrize("text", ["\u00e9", "\ud83d", "a b", "", "x" * 65, "a\nb"])
async def test_a_correlation_id_that_is_not_plain_is_replaced_by_a_new_one(caller, text):
    answered = await caller.get("jobs", X_Correlation_ID=text, traceparent=text)
    assert answered.status == 200
    assert answered.headers["X-Correlation-ID"] not in {"", text}


@pytest.mark.parametrize("name", ["a'b", "~work", "\ud83d", "\u00e9", "x" * 65, "a b", "..", "-"])
@pytest.mark.parametrize("path", ["jobs/{}", "datasets/{}", "datasets/{}/download"])
async def test_an_invalid_id_in_the_path_is_not_found(caller, path, name):
    assert (await caller.get(path.format(name))).status == 404


SURROGATES = [
    (r'{"name": "\ud83d", "keywords": ["x"]}', "name"),
    (r'{"keywords": ["\ud83d"]}', "keywords.0"),
    (r'{"labels": {"\ud83d": ["x"]}}', "labels.\ufffd"),
    (r'{"labels": {"x": ["\udc00"]}}', "labels.x.0"),
    (r'{"keywords": ["x"], "webhook_url": "https://a/\ud83d"}', "webhook_url"),
    (r'{"keywords": ["x"], "variations": {"templates": ["\ud83d {}"]}}', "variations.templates.0"),
    (r'{"sources": [{"type": "urls", "items": ["https://a/\ud83d"]}]}', "sources.0.items.0"),
    (
        r'{"sources": [{"type": "urls", "items": [{"url": "https://a/", "x\ud83d": 1}]}]}',
        "sources.0.items.0.x\ufffd",
    ),
    (
        r'{"sources": [{"type": "urls", "items": [{"url": "https://a/", "x": ["\ud83d"]}]}]}',
        "sources.0.items.0.x.0",
    ),
    (r'{"sources": [{"type": "urls", "blob": "inputs/\ud83d.csv"}]}', "sources.0.blob"),
    (r'{"sources": [{"type": "urls", "items": ["https://a/"], "label": "\ud83d"}]}', "sources.0.label"),
    (
        r'{"sources": [{"type": "urls", "items": ["https://a/"], "url_column": "\ud83d"}]}',
        "sources.0.url_column",
    ),
    (
        r'{"sources": [{"type": "website", "start_urls": ["https://a/"], "label": "\ud83d"}]}',
        "sources.0.label",
    ),
    (r'{"sources": [{"type": "\ud83d"}]}', "sources.0.type"),
    (r'{"keywords": ["x"], "\ud83d": 1}', "\ufffd"),
]


@pytest.mark.parametrize(("body", "field"), SURROGATES)
async def test_a_lone_surrogate_in_any_text_is_refused_by_its_field(caller, body, field):
    answered = await caller.post("jobs", body.encode())
    assert answered.status == 400
    assert [name for name, message in answered.errors if "surrogate" in message] == [field]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"keywords": ["x"], "keywords": ["y"]}', "keywords"),
        (b'{"keywords": ["x"], "max_images_per_label": true}', "max_images_per_label"),
        (b'{"keywords": ["x"], "seed": 1e400}', "seed"),
        (
            b'{"keywords": ["x"], "filters": {"scores": {"sharpness": {"min": NaN}}}}',
            "filters.scores.sharpness.min",
        ),
        (b'{"keywords": ["x"], "seed": ' + b"9" * 10_000 + b"}", "seed"),
    ],
)
async def test_ambiguous_json_is_refused_by_its_field(caller, body, field):
    answered = await caller.post("jobs", body)
    assert (answered.status, [name for name, _ in answered.errors]) == (400, [field])
