"""HTTP triggers. Each test's docstring gives the line of the contract that it proves."""

import http.client
import json
import socket

import pytest

from tests.devhost.conformance.web_app import WEB


@pytest.fixture(scope="module")
def web(shared_app, shared_hosts):
    return shared_hosts(shared_app(WEB)).start()


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
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)
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


def test_the_route_prefix_is_that_of_host_json(app, hosts):
    """H10: routes are {routePrefix}/{route}; the prefix is `api` unless host.json says otherwise."""
    host = hosts(app(WEB, host={"extensions": {"http": {"routePrefix": "v1/x"}}})).start()
    assert host.get("/v1/x/files/a") == (200, "a")
    assert host.get("/api/files/a")[0] == 404
    assert (
        f"files: [GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS,TRACE] http://127.0.0.1:{host.port}/v1/x/files"
        in (host.banner)
    )


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
    host = hosts(app(code, host={"functionTimeout": "00:00:03"})).start()
    before = host.get("/api/fine")[1]
    assert host.get("/api/hang") == (500, "")
    assert host.get("/api/fine")[1] not in {before, ""}
    assert "Timeout value of 3 seconds was exceeded by function: hang" in host.log
