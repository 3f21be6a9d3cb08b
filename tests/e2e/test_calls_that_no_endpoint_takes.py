"""The running host hands to the app what no endpoint takes, after all endpoints."""

from collections.abc import Callable

import pytest

from playground.stack import Stack

PAGE = "https://app.example.com"


@pytest.fixture
def stack(make_stack: Callable[..., Stack]) -> Stack:
    return make_stack(CORS_ALLOWED_ORIGINS=PAGE)


async def test_methods_and_paths_that_no_endpoint_has_are_answered_by_the_app(stack, session):
    for method, path, status in (
        ("GET", "/", 200),
        ("POST", "/", 405),
        ("GET", "/api/v1/nothing", 404),
        ("PUT", "/nothing", 404),
        ("DELETE", "/api/v1/jobs", 405),
        ("GET", "/api/v1/jobs/x/cancel", 405),
        ("HEAD", "/api/v1/jobs/x/cancel", 405),
        ("GET", "/api/v1/jobs/x", 401),
        ("HEAD", "/api/v1/jobs/x", 401),
        ("GET", "/health/live", 200),
        ("HEAD", "/health/live", 200),
    ):
        async with session.request(method, stack.url + path) as answered:
            assert answered.status == status, (method, path)
            assert answered.headers["X-Content-Type-Options"] == "nosniff"
            assert answered.headers["X-Correlation-ID"]
            text = await answered.text()
            if method == "HEAD":
                assert text == ""
            elif status > 200:
                assert answered.content_type == "application/problem+json"
            assert ("Allow" in answered.headers) == (status == 405)


async def test_a_browser_learns_which_calls_a_page_may_make(stack, session):
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    async with session.options(f"{stack.url}/api/v1/jobs?limit=5", headers=asked) as answered:
        assert answered.status == 204
        assert answered.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
        assert answered.headers["Access-Control-Allow-Origin"] == PAGE
    async with session.get(f"{stack.url}/api/v1/jobs", headers={"Origin": PAGE}) as answered:
        assert answered.status == 401
        assert answered.headers["Access-Control-Allow-Origin"] == PAGE


async def test_the_hosts_own_endpoints_stay_the_hosts(stack, session):
    async with session.get(f"{stack.url}/admin/host/status") as answered:
        assert answered.status == 200
        assert (await answered.json())["state"] == "Running"
