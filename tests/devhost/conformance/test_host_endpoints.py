"""The host's own endpoints. Each test's docstring gives the line of the contract that it proves."""

import json

import pytest
from azure.core.exceptions import ResourceNotFoundError

from tests.devhost.conformance.web_app import WEB


def test_the_landing_page_and_its_switch(app, hosts):
    """H9: `/` is a landing page unless a function owns it; AzureWebJobsDisableHomepage turns it off."""
    plain = app(WEB, name="plain")
    assert hosts(plain).start().get("/")[0] == 200
    assert hosts(plain, AzureWebJobsDisableHomepage="true").start().get("/")[0] == 404
    owner = """
        @app.route(route="/")
        def home(req: func.HttpRequest) -> str:
            return "mine"
    """
    root = app(owner, name="owner", host={"extensions": {"http": {"routePrefix": ""}}})
    assert hosts(root).start().get("/") == (200, "mine")


KEYS = """
    @app.route(route="open", auth_level=func.AuthLevel.ANONYMOUS)
    def a_open(req: func.HttpRequest) -> str:
        return "open"

    @app.route(route="keyed", auth_level=func.AuthLevel.FUNCTION)
    def keyed(req: func.HttpRequest) -> str:
        return "keyed"

    @app.route(route="other", auth_level=func.AuthLevel.FUNCTION)
    def other(req: func.HttpRequest) -> str:
        return "other"

    @app.route(route="owner", auth_level=func.AuthLevel.ADMIN)
    def owner(req: func.HttpRequest) -> str:
        return "owner"
"""


def test_keys_are_asked_for_only_with_enable_auth(app, hosts):
    """H11: no key checks unless --enable-auth; then x-functions-key or ?code=, and 401 otherwise."""
    root = app(KEYS)
    free = hosts(root).start()
    assert [free.get(f"/api/{path}")[0] for path in ("open", "keyed", "owner")] == [200, 200, 200]
    asking = hosts(root, "--enable-auth").start()
    assert [asking.get(f"/api/{path}")[0] for path in ("open", "keyed", "owner")] == [200, 401, 401]

    def key_of(blob, pick):
        content = asking.blobs().get_blob_client("azure-webjobs-secrets", blob).download_blob().readall()
        return pick(json.loads(content))["value"]

    host_id = json.loads(free.get("/admin/host/status")[1])["id"]
    master = key_of(f"{host_id}/host.json", lambda found: found["masterKey"])
    default = key_of(f"{host_id}/host.json", lambda found: found["functionKeys"][0])
    own = key_of(f"{host_id}/keyed.json", lambda found: found["keys"][0])
    answers = {
        name: [
            asking.get(f"/api/{path}", {"x-functions-key": key})[0] for path in ("keyed", "other", "owner")
        ]
        for name, key in {"master": master, "default": default, "own": own}.items()
    }
    assert answers == {"master": [200, 200, 200], "default": [200, 200, 401], "own": [200, 401, 401]}
    assert asking.get(f"/api/keyed?code={own}")[0] == 200
    assert asking.get("/api/keyed?code=wrong")[0] == 401
    for path in ("/admin/functions", "/admin/host/status"):
        assert asking.get(path)[0] == 401
        assert asking.get(path, {"x-functions-key": master})[0] == 200
    asking.stop()
    again = hosts(root, "--enable-auth").start()
    assert again.get("/api/keyed", {"x-functions-key": own})[0] == 200  # keys outlive the host


def test_cors_is_that_of_local_settings(app, hosts):
    """H12: Host.CORS and CORSCredentials of local.settings.json decide on origins."""
    local = {"Host": {"CORS": "https://a.example, https://b.example", "CORSCredentials": True}}
    host = hosts(app(WEB, local=local)).start()
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
    status, _, headers = host.call("OPTIONS", "/api/files/a", None, asked)
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, "https://a.example")
    assert headers["Access-Control-Allow-Methods"] == "PUT"
    _, _, headers = host.call("GET", "/api/files/a", None, {"Origin": "https://b.example"})
    assert headers["Access-Control-Allow-Origin"] == "https://b.example"
    assert headers["Access-Control-Allow-Credentials"] == "true"
    _, _, headers = host.call("GET", "/api/files/a", None, {"Origin": "https://c.example"})
    assert headers["Access-Control-Allow-Origin"] is None
    _, _, headers = host.call("GET", "/api/odd/200", None, {"Origin": "https://a.example"})
    assert headers["Vary"] == "Accept, Origin"


def test_any_origin_may_call_where_cors_is_a_star(app, hosts):
    """H13: CORS `*` lets every origin in, without credentials."""
    host = hosts(app(WEB, local={"Host": {"CORS": "*", "CORSCredentials": True}})).start()
    _, _, headers = host.call("GET", "/api/files/a", None, {"Origin": "https://c.example"})
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Access-Control-Allow-Credentials"] is None


def test_the_port_is_that_of_local_settings(app, hosts, unused_port):
    """H14: LocalHttpPort is the port unless the command line names one."""
    host = hosts(app(WEB, local={"Host": {"LocalHttpPort": unused_port}}))
    host.port_arguments = []
    assert host.start().port == unused_port
    host.stop()
    host.port_arguments = ["--port", "0"]
    assert host.start().port != unused_port


def test_until_the_app_is_loaded_the_host_is_not_ready(app, hosts, unused_port):
    """H15: not ready yet is 503, and the status says so."""
    slow = "while not Path('loads').exists():\n    time.sleep(0.02)\n" + WEB.replace("\n    ", "\n")
    host = hosts(app(slow, local={"Host": {"LocalHttpPort": unused_port}}))
    host.port_arguments = []
    host.start(ready=False)
    host.port = unused_port
    status = None
    while status is None:
        try:
            status = host.get("/api/files/a")[0]
        except ConnectionRefusedError:
            continue
    assert status == 503
    assert json.loads(host.get("/admin/host/status")[1])["state"] == "Starting"
    (host.root / "loads").touch()
    host.await_banner()
    assert host.get("/api/files/a") == (200, "a")
    assert json.loads(host.get("/admin/host/status")[1])["state"] == "Running"


BY_HAND = """
    @app.timer_trigger(arg_name="timer", schedule="0 0 3 1 1 *")
    def yearly(timer: func.TimerRequest) -> None:
        note(timer=timer.past_due)

    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    def work(msg: func.QueueMessage) -> None:
        note(text=msg.get_body().decode())

    @app.route(route="x")
    def x(req: func.HttpRequest) -> str:
        return "x"
"""


def test_functions_are_listed_and_run_by_hand(app, hosts):
    """H16: GET /admin/functions and /admin/functions/{name} list; POST runs a timer or queue function."""
    host = hosts(app(BY_HAND)).start()
    listed = json.loads(host.get("/admin/functions")[1])
    assert [item["name"] for item in listed] == ["work", "x", "yearly"]
    one = json.loads(host.get("/admin/functions/yearly")[1])
    assert one["config"]["bindings"][0]["schedule"] == "0 0 3 1 1 *"
    assert host.post_json("/admin/functions/yearly") == 202
    assert [row["timer"] for row in host.seen(1, "timer")] == [False]
    assert host.post_json("/admin/functions/work", b'{"input": "by hand"}') == 202
    assert [row["text"] for row in host.seen(1)] == ["by hand"]
    assert host.post_json("/admin/functions/none") == 404
    assert host.post_json("/admin/functions/work", b"not JSON") == 400


def test_the_key_blobs_are_not_made_without_enable_auth(app, hosts):
    """H18: without --enable-auth no keys are made."""
    host = hosts(app(WEB)).start()
    host_id = json.loads(host.get("/admin/host/status")[1])["id"]
    with pytest.raises(ResourceNotFoundError):
        host.blobs().get_blob_client("azure-webjobs-secrets", f"{host_id}/host.json").get_blob_properties()
