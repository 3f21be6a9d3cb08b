"""What the client sends, when it sends it again, and what it makes of answers."""

import json

import pytest

from pixcrawler import AsyncClient, BadAnswer, Client, NotConfigured, Refused, Unreachable, WrongUse
from pixcrawler.exchange import MAX_ANSWER_BYTES
from tests.client.conftest import JOB, KEY, Answer, problem

JOB_PATH = "/api/v1/jobs/a1"


def test_a_call_sends_the_key_and_returns_a_typed_answer(app, client):
    app.on(JOB_PATH, Answer({**JOB, "new_field": 7}))
    job = client.job("a1")
    assert job.progress.kept == 2
    assert job.created_at.year == 2026
    assert job.as_json()["new_field"] == 7
    assert app.asked[0].headers["x-api-key"] == KEY


def test_a_submission_whose_answer_is_lost_is_sent_again_with_the_same_idempotency_key(app, client, waits):
    app.on("/api/v1/jobs", Answer(drop=True), Answer({**JOB}, cut=20), Answer(JOB, 200))
    assert client.submit({"keywords": ["cat"]}).id == "a1"
    keys = {asked.headers["idempotency-key"] for asked in app.asked}
    assert (len(app.asked), len(keys), len(waits)) == (3, 1, 2)
    assert json.loads(app.asked[0].body) == {"keywords": ["cat"]}


def test_the_client_waits_as_long_as_retry_after_says(app, client, waits):
    busy = Answer({}, 429, {"Retry-After": "7"})
    app.on(JOB_PATH, busy, Answer({}, 503), Answer(JOB))
    client.job("a1")
    assert waits[0] == 7
    assert 0 < waits[1] < 5


def test_a_long_retry_after_is_reported_and_not_waited_for(app, client, waits):
    app.on(JOB_PATH, Answer({"code": "quota_exceeded", "detail": "Full."}, 429, {"Retry-After": "90000"}))
    with pytest.raises(Refused, match="Try again in 90000 seconds"):
        client.job("a1")
    assert waits == []


@pytest.mark.parametrize(("status", "code"), [(429, "quota_exceeded"), (503, "not_configured")])
def test_what_does_not_change_soon_is_not_waited_for(app, client, waits, status, code):
    app.on(JOB_PATH, problem(status, code, "Not now."))
    with pytest.raises(Refused, match="Not now"):
        client.job("a1")
    assert waits == []


def test_a_busy_app_is_asked_a_few_times_only(app, client):
    app.on(JOB_PATH, problem(503, "unavailable", "Storage does not answer."))
    with pytest.raises(Refused, match="Storage does not answer"):
        client.job("a1")
    assert len(app.asked) == 6


def test_a_problem_says_which_fields_are_wrong_and_what_to_do(app, client):
    errors = [{"field": "labels", "message": "must be an object"}, {"field": 3}, "other"]
    app.on("/api/v1/jobs", problem(400, "invalid_request", "The spec is not valid.", errors=errors))
    with pytest.raises(Refused) as caught:
        client.submit({"labels": 1})
    assert "labels must be an object" in str(caught.value)
    assert caught.value.problem.code == "invalid_request"
    app.on(JOB_PATH, problem(401, "unauthenticated", "No key."))
    with pytest.raises(Refused, match="pixcrawler login"):
        client.job("a1")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"[" * 100_000, b"", b'{"detail": 3}'])
def test_an_error_of_another_server_is_an_error_with_a_text(app, client, body):
    app.on(JOB_PATH, Answer(body, 500))
    with pytest.raises(Refused, match="Is this the URL of the app"):
        client.job("a1")


@pytest.mark.parametrize("answer", [
    Answer(b"<html>"),
    Answer({**JOB, "progress": "much"}),
    Answer({}, 302, {"Location": "http://127.0.0.1:9/"}),
    Answer(b"x" * (MAX_ANSWER_BYTES + 1)),
    Answer(b"\x1f\x8b", 200, {"Content-Encoding": "gzip"}),
])  # fmt: skip
def test_what_is_no_answer_of_the_api_is_refused(app, client, answer):
    app.on(JOB_PATH, answer)
    with pytest.raises(BadAnswer):
        client.job("a1")
    assert len(app.asked) == 1


def test_a_server_that_is_not_there_is_reported_after_a_few_attempts(waits):
    with (
        Client("http://127.0.0.1:9", KEY, sleep=waits.append) as client,
        pytest.raises(Unreachable, match="network"),
    ):
        client.job("a1")
    assert len(waits) == 2


def test_a_deletion_whose_answer_was_lost_has_succeeded_if_nothing_is_there(app, client):
    gone = problem(404, "not_found", "There is no such job.")
    app.on(JOB_PATH, Answer(drop=True), gone)
    client.delete_job("a1")
    app.on(JOB_PATH, gone)
    with pytest.raises(Refused):
        client.delete_job("a1")


def test_a_list_is_read_page_by_page(app, client):
    summary = {name: JOB[name] for name in ("name", "state", "created_at", "updated_at", "error")}
    first = {"items": [{"id": "1", **summary}], "next": "/api/v1/jobs?limit=100&cursor=x%2By"}
    app.on("/api/v1/jobs", Answer(first), Answer({"items": [{"id": "2", **summary}], "next": None}))
    assert [job.id for job in client.jobs(state="completed")] == ["1", "2"]
    assert [asked.path for asked in app.asked] == [
        "/api/v1/jobs?limit=100&state=completed",
        "/api/v1/jobs?limit=100&cursor=x%2By",
    ]


@pytest.mark.parametrize(
    "path", ["//evil.example/", "http://evil.example/", "/api/v1/users", "@evil.example"]
)
def test_the_next_page_must_be_one_of_the_same_list(app, client, path):
    app.on("/api/v1/jobs", Answer({"items": [], "next": path}))
    with pytest.raises(BadAnswer, match="another path"):
        list(client.jobs())
    assert len(app.asked) == 1


@pytest.mark.parametrize("job_id", ["", ".", ".."])
def test_an_id_that_would_change_the_path_is_refused(client, job_id):
    with pytest.raises(WrongUse):
        client.job(job_id)


def test_an_id_is_one_part_of_the_path(app, client):
    with pytest.raises(Refused):
        client.job("a/../b?c#d")
    assert app.asked[0].path == "/api/v1/jobs/a%2F..%2Fb%3Fc%23d"


@pytest.mark.parametrize("url", [
    "http://example.org", "ftp://127.0.0.1", "example.org", "https://", "https://a:b@example.org", "http://[",
    "https://example.org?a=b", "http://localhost.example.org",
])  # fmt: skip
def test_the_key_goes_to_no_address_that_is_wrong_or_not_encrypted(url):
    with pytest.raises(NotConfigured):
        Client(url, KEY)


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "\u00e9"])
def test_a_key_that_cannot_be_a_header_is_refused(key):
    with pytest.raises(NotConfigured):
        Client("http://localhost", key)


def test_the_key_is_in_no_text_of_the_client(client):
    assert KEY not in repr(client.account)


def test_a_job_is_followed_as_often_as_the_app_says(app, client, waits):
    running = {**JOB, "state": "crawling"}
    app.on(JOB_PATH, Answer(running, headers={"Retry-After": "2"}), Answer(running), Answer(JOB))
    assert [job.state for job in client.follow("a1")] == ["crawling", "crawling", "completed"]
    assert waits == [2, 5]


def test_an_unchanged_job_is_read_again_without_its_body(app, client, waits):
    def unchanged(asked):
        assert asked.headers["if-none-match"] == '"1"'
        return Answer(b"", 304, {"ETag": '"1"', "Retry-After": "9"})

    running = Answer({**JOB, "state": "crawling"}, headers={"ETag": '"1"', "Retry-After": "2"})
    app.on(JOB_PATH, running, unchanged, unchanged, Answer(JOB))
    assert [job.state for job in client.follow("a1")] == ["crawling"] * 3 + ["completed"]
    assert waits == [2, 9, 9]


async def test_the_asynchronous_client_does_the_same(app):
    waited = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    running = {**JOB, "state": "crawling"}
    app.on("/api/v1/jobs", Answer(drop=True), Answer({}, 429, {"Retry-After": "3"}), Answer(JOB))
    app.on(JOB_PATH, Answer(running, headers={"Retry-After": "2"}), Answer(JOB))
    page = {
        "items": [{"index": 0, "label": "cat", "url": "https://a", "outcome": "kept"}],
        "next": f"{JOB_PATH}/records",
    }
    app.on(f"{JOB_PATH}/records", Answer(page), Answer({**page, "next": None}))
    async with AsyncClient(app.url, KEY, sleep=sleep) as client:
        assert (await client.submit({"keywords": ["cat"]})).id == "a1"
        assert [job.state async for job in client.follow("a1")] == ["crawling", "completed"]
        assert len([record async for record in client.records("a1")]) == 2
        with pytest.raises(Refused):
            await client.dataset("absent")
    assert waited[1:] == [3, 2]


@pytest.mark.parametrize("cursor", ["", "&cursor=a"])
async def test_a_list_that_never_ends_is_given_up(app, client, cursor):
    page = Answer({"items": [], "next": f"/api/v1/jobs?limit=100{cursor}"})
    app.on("/api/v1/jobs", page)
    with pytest.raises(BadAnswer, match="same page"):
        list(client.jobs())
    async with AsyncClient(app.url, KEY) as other:
        with pytest.raises(BadAnswer, match="same page"):
            [job async for job in other.jobs()]


def test_a_page_that_is_not_made_yet_is_asked_for_again(app, client, waits):
    page = {"items": [], "next": "/api/v1/jobs?cursor=a"}
    soon = Answer(page, headers={"Retry-After": "1"})
    app.on("/api/v1/jobs", soon, soon, soon, Answer({"items": [], "next": None}))
    assert list(client.jobs()) == []
    assert waits == [1, 1, 1]


async def test_an_answer_that_takes_too_long_is_given_up(app, client, monkeypatch):
    app.on("/api/v1/jobs/a1", Answer(JOB))
    monkeypatch.setattr("pixcrawler.exchange.MAX_ANSWER_SECONDS", -1.0)
    with pytest.raises(BadAnswer, match="takes more than"):
        client.job("a1")
    async with AsyncClient(app.url, KEY) as other:
        with pytest.raises(BadAnswer, match="takes more than"):
            await other.job("a1")


def test_an_answer_with_wrong_fields_is_no_long_error(app, client):
    app.on("/api/v1/jobs/a1", Answer({**JOB, "labels": {"x" * 100_000: {"found": "many"}}}))
    with pytest.raises(BadAnswer, match=r"labels\.xxx") as raised:
        client.job("a1")
    assert len(str(raised.value)) < 500
