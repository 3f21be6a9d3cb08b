"""What no endpoint takes is answered by a function that the host tries last."""

import json
from types import SimpleNamespace

import azure.functions as func
import pytest

from functions.http.declared import Declared
from functions.http.edge.routes import Routes
from functions.http.edge.unmatched import unmatched
from functions.http.endpoints import datasets, jobs
from functions.http.endpoints.operators import health
from tests.expect import present
from tests.unit.functions.http.http_calls import DECLARED, memory_app

PAGE = "https://app.example.com"
CONTEXT = SimpleNamespace(trace_context=SimpleNamespace(trace_parent=None))
ENDPOINTS = [module.endpoints for module in (jobs, datasets, health)]


@pytest.fixture
def call(monkeypatch):
    app = memory_app(cors_allowed_origins=PAGE)
    monkeypatch.setattr("functions.http.endpoint.app", lambda: app)
    host = func.FunctionApp()
    host.register_functions(unmatched(ENDPOINTS))
    [function] = host.get_functions()

    async def answer(method, path, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = func.HttpRequest(method, f"http://localhost/{path}", headers=named, body=b"")
        return await function.get_user_function()(request, CONTEXT)

    return answer


@pytest.mark.parametrize(
    "path", ["", "favicon.ico", "api/v1", "api/v1/jobs/a/b", "api/v1/jobs//cancel", "%00"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "HEAD"])
async def test_an_unknown_path_is_a_problem(call, method, path):
    answered = await call(method, path)
    assert answered.status_code == 404
    assert answered.mimetype == "application/problem+json"
    assert json.loads(answered.get_body())["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "api/v1/jobs", "GET, HEAD, OPTIONS, POST"),
        ("GET", "API/v1/jobs/j1/Cancel/?x=1", "OPTIONS, POST"),
        ("POST", "health/live", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_method_that_a_path_does_not_have_is_answered_with_those_that_it_has(
    call, method, path, allowed
):
    answered = await call(method, path)
    assert (answered.status_code, answered.headers["Allow"]) == (405, allowed)
    assert json.loads(answered.get_body())["code"] == "method_not_allowed"


async def test_options_are_answered_with_the_methods_of_the_path(call):
    answered = await call("OPTIONS", "api/v1/jobs?limit=5")
    assert (answered.status_code, answered.get_body()) == (204, b"")
    assert answered.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert "Access-Control-Allow-Methods" not in answered.headers


async def test_a_page_of_an_allowed_origin_may_send_what_calls_need(call):
    answered = await call("OPTIONS", "api/v1/jobs", Origin=PAGE, Access_Control_Request_Method="POST")
    assert answered.status_code == 204
    assert answered.headers["Access-Control-Allow-Origin"] == PAGE
    assert "POST" in answered.headers["Access-Control-Allow-Methods"]
    assert {"X-API-Key", "Idempotency-Key"} <= set(
        answered.headers["Access-Control-Allow-Headers"].split(", ")
    )


async def test_a_page_of_another_origin_may_send_nothing(call):
    answered = await call("OPTIONS", "api/v1/jobs", Origin="null", Access_Control_Request_Method="POST")
    assert answered.status_code == 204
    assert [name for name in dict(answered.headers) if name.lower().startswith("access-control")] == []


async def test_strangers_who_try_paths_are_limited_and_preflights_are_not(call):
    found = [(await call("GET", "wp-login.php")).status_code for _ in range(125)]
    assert found == [404] * 120 + [429] * 5
    asked = {"Origin": PAGE, "Access_Control_Request_Method": "POST"}
    assert (await call("OPTIONS", "api/v1/jobs", **asked)).status_code == 204


def test_the_host_tries_this_function_last():
    host = func.FunctionApp()
    host.register_functions(unmatched(ENDPOINTS))
    name = present(host.get_functions()[0].get_function_name())
    # hosts order names without regard to case, by small or by capital letters, which differ in the place of `_`
    assert all(name > other and name.upper() > other.upper() for other in DECLARED)


def test_the_rest_of_a_path_may_be_of_any_length():
    routes = Routes([Declared("GET", "assets/{*path}", {})])
    assert routes.methods("/assets/a/b.js") == routes.methods("/assets") == ["GET", "HEAD", "OPTIONS"]
    assert routes.methods("/other/a") == []
