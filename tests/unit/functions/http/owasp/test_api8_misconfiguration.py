"""API8:2023 Security Misconfiguration: answers are strict with browsers, and say nothing of the inside of the app."""

import re

import pytest

from shared.errors import Permanent
from tests.unit.functions.http.http_calls import DECLARED, Caller, short

PUBLIC_ORIGIN = "https://evil.example"
STRICT = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def _call(caller: Caller, name: str, **headers: str):
    declared = DECLARED[name]
    path = re.sub(r"\{\w+\}", "nobodys", short(declared.path))
    return await caller.call(declared.method, path, "", b"", headers)


@pytest.mark.parametrize("name", DECLARED)
async def test_api8_every_answer_is_strict_with_browsers_and_open_to_no_other_origin(people, name):
    for caller in (people.admin, people.bob.calls, Caller(people.app, "")):
        answered = await _call(caller, name, Origin=PUBLIC_ORIGIN)
        assert STRICT.items() <= answered.headers.items()
        assert "default-src 'none'" in answered.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answered.headers["Content-Security-Policy"]
        assert not any(header.lower().startswith("access-control-allow") for header in answered.headers)
        assert not {"server", "x-powered-by"} & {header.lower() for header in answered.headers}


@pytest.mark.parametrize("name", [name for name, declared in DECLARED.items() if declared.scope])
async def test_api8_no_cache_keeps_what_needs_a_key(people, name):
    answered = await _call(people.admin, name)
    assert answered.headers["Cache-Control"] in {"no-store", "private, no-cache"}


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("AccountKey=c2VjcmV0; /srv/app/shared/wiring.py line 7"),
        KeyError("pxc_secret"),
        ValueError("<script>alert(1)</script>"),
    ],
)
async def test_api8_an_unexpected_error_says_nothing_of_itself(people, monkeypatch, error):
    async def fail(*_):
        raise error

    monkeypatch.setattr(people.app.job_data.jobs, "page", fail)
    answered = await people.bob.calls.get("jobs")
    assert (answered.status, answered.body["code"]) == (500, "internal_error")
    for word in ("AccountKey", "secret", "script", "srv", "Traceback", type(error).__name__):
        assert word not in answered.text


async def test_api8_a_refusal_by_storage_names_neither_the_account_nor_its_address(people, monkeypatch):
    async def fail(*_):
        raise Permanent("Storage refuses the app.") from OSError(
            "https://account.table.core.windows.net/?sig=x"
        )

    monkeypatch.setattr(people.app.job_data.jobs, "page", fail)
    answered = await people.bob.calls.get("jobs")
    assert "windows.net" not in answered.text
    assert "sig=" not in answered.text


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=1", "a\nb", "\x00", "é" * 10, "x" * 5000, "<script>"])
async def test_api8_headers_of_a_call_come_back_neither_as_headers_nor_as_text(people, value):
    answered = await people.bob.calls.get("jobs/none", X_Correlation_ID=value, traceparent=value)
    assert answered.status == 404
    assert value not in answered.text
    assert all(value not in header for header in answered.headers.values())
    assert re.fullmatch(r"[0-9a-f]{32}", answered.headers["X-Correlation-ID"])


async def test_api8_problems_are_no_pages_whatever_their_text_repeats(people):
    for answered in (
        await people.bob.calls.get("jobs", "<script>=1"),
        await people.bob.calls.get("jobs", "limit=<script>"),
        await people.bob.calls.post("jobs", {"<script>": 1}),
    ):
        assert answered.status == 400
        assert answered.body["type"].startswith("urn:pixcrawler:problem:")
        assert answered.headers["X-Content-Type-Options"] == "nosniff"
