"""Requests, routes and command lines that are wrong are answered, and said to be wrong."""

import gzip
import http.client
import socket

import pytest

from devhost.settings import StartError
from devhost.web.routes import parse_route

ONE = """
    @app.route(route="pid")
    def pid(req: func.HttpRequest) -> str:
        return str(os.getpid())
"""


SIZE = """
    @app.route(route="size", methods=["POST"])
    def size(req: func.HttpRequest) -> str:
        return str(len(req.get_body()))
"""


def test_a_compressed_body_is_the_functions_to_read(app, hosts):
    host = hosts(app(SIZE)).start()
    packed = gzip.compress(bytes(10_000))
    answer = host.call("POST", "/api/size", packed, {"Content-Encoding": "gzip"})
    assert answer[:2] == (200, str(len(packed)))


@pytest.mark.parametrize("template", ["x/{user-id}", "x/{n=5}", "x/{**rest}", "x/{"])
def test_a_part_of_a_route_that_is_not_known_is_an_error_not_a_404(template):
    with pytest.raises(StartError, match="not supported"):
        parse_route(template)


PATHS = """
    @app.route(route="files/{*rest}", methods=["GET"])
    def files(req: func.HttpRequest) -> str:
        return repr(req.route_params["rest"])
"""


def test_a_line_break_in_a_path_does_not_keep_its_function_from_it(app, hosts):
    """In patterns, a dot is no line break unless they say so."""
    host = hosts(app(PATHS)).start()
    assert host.call("GET", "/api/files/a%0Ab/c%0D")[:2] == (200, repr("a\nb/c\r"))


def test_doubled_braces_of_a_pattern_are_single_ones():
    route = parse_route("x/{n:regex(^a{{2}}$)}")
    assert route.match("x/AA") == {"n": "AA"}
    assert route.match("x/aaa") is None


@pytest.mark.parametrize("wrong", [("--port", "99999"), ("--port", "-1"), ("--message-lease", "0")])
def test_a_number_out_of_range_is_reported(app, hosts, wrong):
    host = hosts(app(ONE), *wrong).start(ready=False)
    assert host.process.wait(20) == 2
    assert "is out of range; it must be" in host.log


def test_an_app_without_functions_is_pointed_out(tmp_path, hosts):
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    assert f"none: is function_app.py in {tmp_path}" in hosts(tmp_path).start().banner


def test_a_key_that_is_no_text_is_refused(app, hosts):
    code = """
        @app.route(route="keyed", auth_level=func.AuthLevel.FUNCTION)
        def keyed(req: func.HttpRequest) -> str:
            return ""
    """
    host = hosts(app(code), "--enable-auth").start()
    with socket.create_connection(("127.0.0.1", host.port), 10) as connection:
        connection.sendall(b"GET /api/keyed HTTP/1.1\r\nHost: x\r\nx-functions-key: \xff\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 401
