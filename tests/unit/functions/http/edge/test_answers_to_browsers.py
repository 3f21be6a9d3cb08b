"""Which pages of other origins may read answers, and what browsers are told with every answer."""

import azure.functions as func
import pytest

from functions.http.edge.cors import Cors
from functions.http.edge.security_headers import security_headers
from tests.unit.functions.http.http_calls import Caller, memory_app

PAGE = "https://app.example.com"
CASES = [
    ("jobs", "the-key", 200),
    ("jobs", "", 401),
    ("jobs/none", "the-key", 404),
    ("/health/live", "", 200),
]


@pytest.fixture
def make_caller(monkeypatch):
    def make(key="the-key", **settings):
        made = memory_app(**settings)
        monkeypatch.setattr("functions.http.endpoint.app", lambda: made)
        return Caller(made, key)

    return make


@pytest.mark.parametrize(("path", "key", "status"), CASES)
async def test_every_answer_tells_browsers_to_be_strict(make_caller, path, key, status):
    answered = await make_caller(key).get(path)
    assert answered.status == status
    assert answered.headers["X-Content-Type-Options"] == "nosniff"
    assert answered.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answered.headers["Content-Security-Policy"]
    assert answered.headers["Cache-Control"] in {"no-store", "private, no-cache"}
    assert "Access-Control-Allow-Origin" not in answered.headers


@pytest.mark.parametrize("host", ["localhost:7071", "127.0.0.1", "[::1]:80", "app.localhost"])
def test_browsers_may_call_other_local_servers_without_tls(host):
    assert "Strict-Transport-Security" not in security_headers(f"http://{host}/health")


@pytest.mark.parametrize("host", ["pixcrawler.azurewebsites.net", "203.0.113.7", "localhost.example.com"])
def test_browsers_always_call_other_hosts_with_tls(host):
    assert security_headers(f"https://{host}/health")["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize(("path", "key", "status"), CASES)
async def test_a_page_of_a_named_origin_may_read_every_answer(make_caller, path, key, status):
    caller = make_caller(key, cors_allowed_origins=f"https://other.example.com,{PAGE}")
    answered = await caller.get(path, Origin=PAGE)
    assert answered.status == status
    assert answered.headers["Access-Control-Allow-Origin"] == PAGE
    assert "RateLimit" in answered.headers["Access-Control-Expose-Headers"]
    assert answered.headers["Vary"].split(", ")[0] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answered.headers


@pytest.mark.parametrize("origin", ["null", "http://app.example.com", f"{PAGE}.evil.example", f"{PAGE}:8443"])
async def test_a_page_of_another_origin_may_read_nothing(make_caller, origin):
    answered = await make_caller(cors_allowed_origins=PAGE, cors_allow_credentials=True).get(
        "jobs", Origin=origin
    )
    assert [name for name in answered.headers if name.lower().startswith("access-control")] == []
    assert answered.headers["Vary"].split(", ")[0] == "Origin"


async def test_only_pages_of_named_origins_may_send_credentials(make_caller):
    named = make_caller(cors_allowed_origins=PAGE, cors_allow_credentials=True)
    assert (await named.get("jobs", Origin=PAGE)).headers["Access-Control-Allow-Credentials"] == "true"
    answered = await make_caller(cors_allowed_origins="*").get("jobs", Origin=PAGE)
    assert answered.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answered.headers
    assert "Access-Control-Allow-Credentials" not in Cors("*", credentials=True).headers(PAGE)
    with pytest.raises(ValueError, match="needs origins by name"):
        make_caller(cors_allowed_origins="*", cors_allow_credentials=True)


@pytest.mark.parametrize(
    "origins", ["app.example.com", f"{PAGE}/", "null", f"{PAGE},*", "https://*.example.com", f"{PAGE},,"]
)
def test_a_setting_that_is_no_list_of_origins_is_wrong(make_caller, origins):
    with pytest.raises(ValueError, match="must be origins such as"):
        make_caller(cors_allowed_origins=origins)


async def test_a_browser_gives_what_it_has_stored_to_the_same_caller_only(make_caller):
    caller = make_caller()
    assert (await caller.get("jobs")).headers["Vary"] == "X-API-Key, Cookie, Authorization"
    # what is never stored is given to nobody
    assert "Vary" not in (await caller.get("users")).headers
    named = make_caller(cors_allowed_origins=PAGE)
    assert (await named.get("jobs", Origin=PAGE)).headers[
        "Vary"
    ] == "Origin, X-API-Key, Cookie, Authorization"


async def test_an_answer_that_has_not_changed_is_not_sent_again(make_caller):
    caller = make_caller()
    made = await caller.post("jobs", {"keywords": ["cat"]})
    path = f"jobs/{made.body['id']}"
    first = await caller.get(path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    for tag in (
        first.headers["ETag"],
        first.headers["ETag"].removeprefix("W/"),
        f'"x", {first.headers["ETag"]}',
        "*",
    ):
        again = await caller.get(path, If_None_Match=tag)
        assert (again.status, again.text) == (304, "")
        assert again.headers["ETag"] == first.headers["ETag"]
    assert (await caller.get(path, If_None_Match='"x"')).status == 200
    await caller.post(f"{path}/cancel")
    changed = await caller.get(path, If_None_Match=first.headers["ETag"])
    assert (changed.status, changed.body["state"]) == (200, "cancelled")


async def test_an_answer_says_when_to_read_a_job_again(make_caller):
    caller = make_caller()
    made = await caller.post("jobs", {"keywords": ["cat"]})
    path = f"jobs/{made.body['id']}"
    assert made.headers["Retry-After"] == "2"
    assert (await caller.get(path)).headers["Retry-After"] == "2"
    same = await caller.get(path, If_None_Match="*")
    assert (same.status, same.headers["Retry-After"]) == (304, "2")
    await caller.post(f"{path}/cancel")
    assert "Retry-After" not in (await caller.get(path)).headers


def test_an_answer_keeps_headers_of_its_own():
    from functions.http.edge.answer_headers import add_headers

    response = func.HttpResponse("", headers={"Content-Security-Policy": "default-src 'self'"})
    request = func.HttpRequest("GET", "http://localhost/docs", headers={}, body=b"")
    add_headers(response, request, memory_app(), {})
    assert response.headers["Content-Security-Policy"] == "default-src 'self'"
    assert response.headers["Referrer-Policy"] == "no-referrer"
