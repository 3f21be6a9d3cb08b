"""HTTP triggers and the host's own endpoints. Each test's docstring gives the line of the contract that it proves."""

import http.client
import json
import socket

import pytest
from azure.core.exceptions import ResourceNotFoundError

WEB = """
    @app.route(route="echo/{name:alpha}/{number:int?}", methods=["GET", "POST"])
    def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        body = {
            "method": req.method, "url": req.url, "params": dict(req.route_params), "query": dict(req.params),
            "body": req.get_body().decode(), "headers": dict(req.headers),
            "name": context.function_name,
        }
        return func.HttpResponse(
            json.dumps(body), status_code=201, headers={"X-Answer": "yes"}, mimetype="application/json"
        )

    @app.route(route="things/{id}")
    def b_any(req: func.HttpRequest) -> str:
        return "any"

    @app.route(route="things/special")
    def a_special(req: func.HttpRequest) -> str:
        return "special"

    @app.route(route="things/{id:int}")
    def c_never(req: func.HttpRequest) -> str:
        return "never"

    @app.route(route="files/{*rest}")
    def files(req: func.HttpRequest) -> str:
        return req.route_params.get("rest", "")

    @app.route(route="fail")
    async def fail(req: func.HttpRequest) -> func.HttpResponse:
        raise RuntimeError("secret detail")

    @app.route(route="size", methods=["POST"])
    def size(req: func.HttpRequest) -> str:
        return str(len(req.get_body()))

    @app.route(route="odd/{code:int}")
    def odd(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("x", status_code=int(req.route_params["code"]), headers={"Vary": "Accept"})

    @app.route(route="nothing")
    def nothing(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(status_code=204)

    @app.route(route="cookie")
    def cookie(req: func.HttpRequest) -> func.HttpResponse:
        answer = func.HttpResponse("set")
        answer.headers.add("Set-Cookie", "a=1; Path=/x; HttpOnly; Max-Age=60; SameSite=Lax; Secure")
        answer.headers.add("Set-Cookie", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT")
        return answer
"""


@pytest.fixture
def web(app, hosts):
    return hosts(app(WEB)).start()


def test_a_request_reaches_the_function_whole(web):
    """H1: method, url, lower-cased headers, query, route parameters and body reach the function."""
    headers = {"X-Test": "t"}
    status, body, answer = web.call("POST", "/api/echo/Ann/7?a=1&a=2&b=&c=%20x", b"hello", headers)
    found = json.loads(body)
    assert (status, answer["X-Answer"], answer["Content-Type"]) == (201, "yes", "application/json")
    assert (found["method"], found["body"]) == ("POST", "hello")
    assert found["params"] == {"name": "Ann", "number": "7"}
    assert found["headers"]["x-test"] == "t"
    assert found["url"] == f"http://127.0.0.1:{web.port}/api/echo/Ann/7?a=1&a=2&b=&c=%20x"
    assert found["name"] == "echo"


def test_empty_query_values_are_dropped_and_repeated_ones_joined(web):
    """H2: empty query values are dropped, repeated ones joined by commas."""
    assert json.loads(web.get("/api/echo/Ann?a=1&a=2&b=&c=3")[1])["query"] == {"a": "1,2", "c": "3"}


def test_routes_match_by_constraint_method_and_case(web):
    """H3: a wrong method or a failed constraint is 404; optional and rest parameters; case does not matter."""
    assert web.get("/API/Echo/Ann")[0] == 201
    assert web.get("/api/echo/Ann7")[0] == 404
    assert web.get("/api/echo/Ann/x")[0] == 404
    assert web.call("DELETE", "/api/echo/Ann")[0] == 404
    assert web.get("/api/files/a/b%20c.txt") == (200, "a/b c.txt")
    assert web.get("/api/files") == (200, "")
    assert web.get("/none")[0] == 404


def test_of_several_routes_the_first_by_function_name_wins(web):
    """H4: routes are tried in the order of function names; the first hit wins."""
    assert web.get("/api/things/special") == (200, "special")
    assert web.get("/api/things/7") == (200, "any")


def test_an_unhandled_exception_is_500_without_a_body(web):
    """H5: an unhandled exception is 500 with an empty body; the log has it."""
    assert web.get("/api/fail") == (500, "")
    assert "secret detail" in web.logged("Executed 'Functions.fail' (Failed")


def test_a_body_needs_a_content_length(web):
    """H6: a body reaches Python only with a Content-Length above zero: chunked bodies arrive empty."""
    assert web.call("POST", "/api/size", b"12345")[1] == "5"
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    connection.request("POST", "/api/size", iter([b"123", b"45"]), encode_chunked=True)
    assert connection.getresponse().read() == b"0"
    connection.close()


def test_a_body_over_the_limit_is_refused(web):
    """H7: the body limit is 104,857,600 bytes."""
    with socket.create_connection(("127.0.0.1", web.port), 10) as connection:
        head = f"POST /api/size HTTP/1.1\r\nHost: x\r\nContent-Length: {104_857_601}\r\n\r\n"
        connection.sendall(head.encode())
        chunk = bytes(1 << 20)
        try:
            for _ in range(101):
                connection.sendall(chunk)
        except OSError:
            pass  # it hung up early, with its answer on the way
        assert connection.recv(64).split()[1] == b"413"


def test_responses_have_status_headers_and_cookies(web):
    """H8: responses carry status, headers, bodies and cookies with their attributes."""
    assert web.get("/api/nothing") == (204, "")
    assert [web.get(f"/api/odd/{code}")[0] for code in (418, 100, 99, 1000)] == [418, 500, 500, 500]
    cookies = web.call("GET", "/api/cookie")[2].get_all("Set-Cookie")
    assert [cookie.partition(";")[0] for cookie in cookies] == ["a=1", "b=2"]
    assert {"HttpOnly", "Secure", "Path=/x", "Max-Age=60", "SameSite=Lax"} <= set(cookies[0].split("; "))
    assert "expires=Wed, 21 Oct 2026 07:28:00 GMT" in cookies[1]


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


def test_the_route_prefix_is_that_of_host_json(app, hosts):
    """H10: routes are {routePrefix}/{route}; the prefix is `api` unless host.json says otherwise."""
    host = hosts(app(WEB, host={"extensions": {"http": {"routePrefix": "v1/x"}}})).start()
    assert host.get("/v1/x/files/a") == (200, "a")
    assert host.get("/api/files/a")[0] == 404
    assert (
        f"files: [GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS,TRACE] http://127.0.0.1:{host.port}/v1/x/files"
        in (host.banner)
    )


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
    slow = "time.sleep(2)\n" + WEB.replace("\n    ", "\n")
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


def test_a_function_that_exceeds_its_time_out_is_500(app, hosts):
    """H17: functionTimeout ends an HTTP invocation as a failure."""
    code = """
        @app.route(route="hang")
        def hang(req: func.HttpRequest) -> str:
            time.sleep(60)
            return ""

        @app.route(route="fine")
        def fine(req: func.HttpRequest) -> str:
            return str(os.getpid())
    """
    host = hosts(app(code, host={"functionTimeout": "00:00:01"})).start()
    before = host.get("/api/fine")[1]
    assert host.get("/api/hang") == (500, "")
    assert host.get("/api/fine")[1] not in {before, ""}
    assert "Timeout value of 1 seconds was exceeded by function: hang" in host.log


def test_the_key_blobs_are_not_made_without_enable_auth(app, hosts):
    """H18: without --enable-auth no keys are made."""
    host = hosts(app(WEB)).start()
    host_id = json.loads(host.get("/admin/host/status")[1])["id"]
    with pytest.raises(ResourceNotFoundError):
        host.blobs().get_blob_client("azure-webjobs-secrets", f"{host_id}/host.json").get_blob_properties()
