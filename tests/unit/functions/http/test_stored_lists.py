"""Lists that callers store over HTTP."""

import gzip
import json

import pytest

from functions.http.endpoints.lists import MAX_LIST_BODY_BYTES

DATA = b"url\nhttps://example.org/1.jpg\n"
CSV = {"Content_Type": "text/csv; charset=utf-8"}
ENDINGS = "txt, csv, tsv, jsonl, json, parquet, txt.gz, csv.gz, tsv.gz, jsonl.gz, json.gz"


async def test_a_list_in_a_body_is_stored_under_the_name_in_the_answer(app, caller):
    made = await caller.post("lists", DATA, "name=my%20birds", **CSV)
    assert made.status == 201, made.text
    assert (made.body["name"], made.body["state"], made.body["size_bytes"]) == (
        "my birds",
        "stored",
        len(DATA),
    )
    assert made.body["upload"] is None
    assert made.headers["Location"] == made.body["links"]["self"] == f"/api/v1/lists/{made.body['id']}"
    assert await app.blobs.get(made.body["blob"]) == DATA
    read = await caller.get(f"lists/{made.body['id']}")
    assert read.body == made.body
    assert (await caller.get("lists")).body == {"items": [made.body], "next": None}
    assert (await caller.delete(f"lists/{made.body['id']}")).status == 200
    assert (await caller.get(f"lists/{made.body['id']}")).status == 404


@pytest.mark.parametrize(
    ("content_type", "query", "ending"),
    [
        ("text/plain", "", ".txt"),
        ("Text/CSV;header=present", "", ".csv"),
        ("text/tab-separated-values", "", ".tsv"),
        ("application/x-ndjson", "", ".jsonl"),
        ("application/json", "", ".json"),
        ("application/vnd.apache.parquet", "", ".parquet"),
        ("application/octet-stream", "format=csv", ".csv"),
        ("application/json", "format=jsonl", ".jsonl"),
    ],
)
async def test_the_format_comes_from_the_query_or_the_content_type(caller, content_type, query, ending):
    made = await caller.post("lists", DATA, query, Content_Type=content_type)
    assert made.body["blob"].endswith(ending)


async def test_a_gzipped_list_is_recognised(caller):
    made = await caller.post("lists", gzip.compress(DATA), **CSV)
    assert made.body["blob"].endswith(".csv.gz")


async def test_a_link_has_all_that_its_request_needs(caller):
    made = await caller.post("lists", b"", "upload=true&format=jsonl.gz")
    assert made.status == 201, made.text
    assert (made.body["state"], made.headers["Cache-Control"]) == ("awaiting_upload", "no-store")
    upload = made.body["upload"]
    assert (upload["method"], upload["headers"]) == ("PUT", {"x-ms-blob-type": "BlockBlob"})
    assert made.body["blob"] in upload["url"]
    assert (await caller.get(f"lists/{made.body['id']}")).body["upload"] is None


@pytest.mark.parametrize(("body", "query"), [(DATA, "format=csv"), (b"", "upload=true&format=csv")])
async def test_a_call_can_be_repeated_with_its_key(caller, body, query):
    first = await caller.post("lists", body, query, Idempotency_Key="k")
    again = await caller.post("lists", body, query, Idempotency_Key="k")
    assert (first.status, again.status) == (201, 200)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.body["id"] == first.body["id"]
    other = await caller.post("lists", body, query.replace("csv", "tsv"), Idempotency_Key="k")
    assert (other.status, other.body["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "query", "headers", "errors"),
    [
        (b"", "", CSV, []),
        (DATA, "upload=true&format=csv", {}, []),
        (
            DATA,
            "",
            {},
            [
                (
                    "format",
                    f"is missing, and the Content-Type is not that of a list; it must be one of {ENDINGS}",
                )
            ],
        ),
        (b"", "upload=true", CSV, [("format", f"is missing; it must be one of {ENDINGS}")]),
        (DATA, "format=csv.gz", {}, []),
        (DATA, "format=csv&name=", {}, [("name", "is ''; it must have 1 to 200 characters")]),
        (bytes(MAX_LIST_BODY_BYTES + 1), "", CSV, []),
    ],
    ids=["empty", "both", "no format", "no format of a link", "not gzipped", "no name", "too large"],
)
async def test_a_list_that_is_not_valid_is_refused(app, caller, body, query, headers, errors):
    answer = await caller.post("lists", body, query, **headers)
    assert (answer.status, answer.errors) == (400, errors)
    assert [info async for info in app.blobs.list("inputs/")] == []


async def test_a_refused_body_says_how_a_larger_list_is_stored(caller):
    answered = await caller.call("POST", "lists", "", bytes(MAX_LIST_BODY_BYTES + 1), CSV)
    assert answered.status == 400
    assert answered.body["detail"].endswith("For a larger list, ask for a link with upload=true.")


async def test_a_users_room_is_limited(app, caller):
    for _ in range(app.settings.lists_per_user):
        assert (await caller.post("lists", DATA, **CSV)).status == 201
    answer = await caller.post("lists", DATA, **CSV)
    assert (answer.status, answer.body["code"]) == (429, "quota_exceeded")
    assert (answer.body["limit"], answer.body["used"]) == (100, 100)
    page = await caller.get("lists", "limit=60")
    rest = await caller.get("lists", page.body["next"].partition("?")[2])
    assert (len(page.body["items"]), len(rest.body["items"]), rest.body["next"]) == (60, 40, None)


async def test_a_job_may_use_a_list_once_it_is_stored(app, caller):
    made = (await caller.post("lists", b"", "upload=true&format=csv")).body
    spec = {"sources": [{"type": "urls", "blob": made["blob"]}]}
    early = await caller.post("jobs", spec)
    assert (early.status, early.errors) == (
        400,
        [("sources.0.blob", "is not there: it is not uploaded, or deleted")],
    )
    await app.blobs.put(made["blob"], DATA)
    assert (await caller.post("jobs", spec)).status == 201
    assert (await caller.get(f"lists/{made['id']}")).body["last_used_at"] is not None


async def test_an_answer_has_no_link_that_was_given_before(caller):
    made = await caller.post("lists", b"", "upload=true&format=csv")
    listed = (await caller.get("lists")).text
    assert made.body["upload"]["url"] not in listed
    assert json.loads(listed)["items"][0]["upload"] is None
