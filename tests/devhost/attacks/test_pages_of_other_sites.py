"""The host's own endpoints serve programs of this machine, and no page that a browser has open."""

import json

import pytest

CODE = """
    @app.timer_trigger(arg_name="timer", schedule="0 0 3 1 1 *")
    def yearly(timer: func.TimerRequest) -> None:
        note(timer=1)

    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    def work(msg: func.QueueMessage) -> None:
        note(text=msg.get_body().decode())

    @app.route(route="open")
    def open_to_all(req: func.HttpRequest) -> str:
        return "open"
"""
RUN = "/admin/functions/work"
BODY = b'{"input": "by a page"}'


@pytest.fixture(scope="module")
def start(shared_app, shared_hosts):
    def start_host(name):
        root = shared_app(CODE, local={"Host": {"CORS": "*"}}, name=name)
        return shared_hosts(root, "--admin-host", "dev.example").start()

    return start_host


@pytest.fixture(scope="module")
def host(start):
    return start("host")


@pytest.fixture(scope="module")
def untouched(start):
    """A host whose queue function no test may run."""
    return start("untouched")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "text/plain;application/json"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=application/json"}, 415),
        ({}, 415),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Origin": "http://127.0.0.1.evil.example:{port}", "Host": "127.0.0.1:{port}"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "evil.example:{port}"}, 403),
        ({"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"}, 403),
        ({"Host": "localhost.evil.example"}, 403),
        ({"Host": "127.0.0.1@evil.example"}, 403),
        ({"Host": "10.1.2.3"}, 403),
        ({"Host": "dev.example.evil"}, 403),
        ({"Host": "[::1"}, 403),
    ],
)
def test_a_page_cannot_run_a_function(untouched, headers, status):
    given = {name: value.replace("{port}", str(untouched.port)) for name, value in headers.items()}
    if status == 403:
        given["Content-Type"] = "application/json"
    for path in (RUN, "/Admin/Functions/Work", "//admin/functions/work/"):
        assert untouched.call("POST", path, BODY, given)[0] == status
    before = len(untouched.rows("timer"))
    assert untouched.post_json("/admin/functions/yearly") == 202
    untouched.seen(before + 1, "timer")
    assert untouched.rows("text") == []


@pytest.mark.parametrize(
    "name", ["localhost", "LOCALHOST:{port}", "127.0.0.1", "[::1]:{port}", "dev.example:7"]
)
def test_a_program_of_this_machine_may_run_functions(host, name):
    given = name.replace("{port}", str(host.port))
    assert host.post_json(RUN, BODY, Host=given) == 202
    assert (
        host.post_json(RUN, BODY, Host=given, Origin=f"http://{given}", Sec_Fetch_Site="same-origin") == 202
    )
    assert host.post_json(RUN, BODY, Host=given, Content_Type="application/json; charset=utf-8") == 202


def test_a_page_cannot_read_what_the_host_reports_about_itself(host):
    for path in ("/admin/functions", "/admin/functions/work", "/admin/host/status"):
        status, _, headers = host.call("GET", path, None, {"Origin": "https://evil.example"})
        assert (status, headers["Access-Control-Allow-Origin"]) == (403, None)
        assert host.get(path, {"Host": "evil.example"})[0] == 403
        assert host.get(path)[0] == 200


def test_a_browser_that_asks_for_the_admin_endpoints_is_not_let_in(host):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    status, _, headers = host.call("OPTIONS", RUN, None, asked)
    assert (status, headers["Access-Control-Allow-Methods"]) == (403, None)
    assert host.call("OPTIONS", "/api/open", None, asked)[0] == 204


def test_the_apps_own_routes_are_the_apps_to_guard(host):
    headers = {"Origin": "https://a.example", "Host": "anything.example"}
    status, body, answer = host.call("GET", "/api/open", None, headers)
    assert (status, body, answer["Access-Control-Allow-Origin"]) == (200, "open", "*")
    assert json.loads(host.get("/admin/host/status")[1])["state"] == "Running"


def test_the_address_that_the_host_listens_on_is_accepted_as_its_name(app, hosts):
    host = hosts(app(CODE), "--host", "0.0.0.0").start()
    assert host.post_json(RUN, BODY) == 202
    assert host.post_json(RUN, BODY, Host="evil.example") == 403


def test_a_body_that_is_no_json_object_is_refused(untouched):
    for body in (b"{", b"[]", b"1", b"\xff", b'{"input": 1' + b"0" * 5000 + b"}", b"[" * 1_000_000):
        assert untouched.call("POST", RUN, body, {"Content-Type": "application/json"})[0] == 400
    assert untouched.rows("text") == []
