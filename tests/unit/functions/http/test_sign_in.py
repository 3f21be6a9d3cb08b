"""People whom App Service authentication has signed in call without a key, if the app's settings say so."""

import asyncio
import base64
import json

import pytest

from functions.http import endpoint
from shared.wiring import App
from tests.unit.functions.http.http_calls import KEY, Answered, Caller, memory_app

TRUSTED = {"app_service_sign_in": True, "website_auth_enabled": True}


def principal(subject: str = "42") -> str:
    claims = [{"typ": "oid", "val": subject}, {"typ": "name", "val": "Ann\u202e\n"}]
    return base64.b64encode(json.dumps({"auth_typ": "aad", "claims": claims}).encode()).decode()


@pytest.fixture
def serve(monkeypatch):
    """Makes an app with these settings, which the functions serve."""

    def make(**settings: bool) -> App:
        app = memory_app(**settings)
        monkeypatch.setattr(endpoint, "app", lambda: app)
        return app

    return make


async def signed_in(
    app: App, method: str, path: str, body: object = None, key: str = "", **headers: str
) -> Answered:
    data = b"" if body is None else json.dumps(body).encode()
    named = {"X_MS_CLIENT_PRINCIPAL": principal(), **headers}
    return await Caller(app, key).call(method, path, "", data, named)


@pytest.mark.parametrize(
    "settings",
    [{}, {"app_service_sign_in": True}, {"website_auth_enabled": True}, {"sign_in_creates_users": True}],
)
async def test_the_header_counts_only_if_the_platform_and_the_operator_say_so(serve, settings):
    app = serve(**{"sign_in_creates_users": True, **settings})
    assert (await signed_in(app, "GET", "jobs")).status == 401


async def test_a_person_becomes_a_free_user_at_the_first_call_and_has_keys(serve):
    app = serve(**TRUSTED, sign_in_creates_users=True)
    profile = await signed_in(app, "GET", "users/profile")
    assert (profile.status, profile.body["tier"], profile.body["name"]) == (200, "free", "Ann\ufffd")
    assert profile.body["scopes"] == ["read", "submit"]
    again = await signed_in(app, "GET", "users/profile")
    assert again.body["id"] == profile.body["id"]
    made = await signed_in(app, "POST", "users/me/keys", {"name": "a", "scopes": ["read"]})
    assert (await Caller(app, made.body["key"]).get("users/profile")).body["id"] == profile.body["id"]


async def test_first_calls_at_the_same_time_make_one_user(serve):
    app = serve(**TRUSTED, sign_in_creates_users=True)
    answers = await asyncio.gather(*(signed_in(app, "GET", "jobs") for _ in range(8)))
    assert {answered.status for answered in answers} == {200}
    assert len((await Caller(app).get("users")).body["items"]) == 1


async def test_a_person_has_no_scope_to_administer(serve):
    app = serve(**TRUSTED, sign_in_creates_users=True)
    assert (await signed_in(app, "GET", "users")).status == 403
    assert (await signed_in(app, "POST", "users/me/keys", {"name": "a", "scopes": ["admin"]})).status == 403


async def test_without_the_setting_an_administrator_makes_the_user_first(serve):
    app = serve(**TRUSTED)
    assert (await signed_in(app, "GET", "jobs")).status == 401
    body = {"name": "Ann", "tier": "pro", "identity": {"provider": "aad", "subject": "42"}}
    made = await Caller(app).post("users", body)
    assert (await signed_in(app, "GET", "users/profile")).body["id"] == made.body["id"]
    await Caller(app).patch(f"users/{made.body['id']}", {"status": "disabled"})
    assert (await signed_in(app, "GET", "users/profile")).status == 401


async def test_a_key_counts_before_the_person(serve):
    app = serve(**TRUSTED, sign_in_creates_users=True)
    assert (await signed_in(app, "GET", "users", key=KEY)).status == 200
    assert (await signed_in(app, "GET", "jobs", key="wrong")).status == 401


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 201), ("none", 201)]
)
async def test_a_page_of_another_site_changes_nothing_with_the_cookie_of_the_sign_in(serve, site, status):
    app = serve(**TRUSTED, sign_in_creates_users=True)
    body = {"keywords": ["cat"]}
    assert (await signed_in(app, "POST", "jobs", body, Sec_Fetch_Site=site)).status == status
    assert (await signed_in(app, "GET", "jobs", Sec_Fetch_Site=site)).status == 200
    assert (await signed_in(app, "POST", "jobs", body, key=KEY, Sec_Fetch_Site=site)).status == 201


@pytest.mark.parametrize(
    ("origin", "credentials", "status"),
    [
        ("https://app.example.com", True, 201),
        ("https://app.example.com", False, 403),
        ("https://x.org", True, 403),
    ],
)
async def test_a_page_of_a_named_origin_may_use_the_cookie_if_the_settings_say_so(
    serve, origin, credentials, status
):
    allowed = {"cors_allowed_origins": "https://app.example.com", "cors_allow_credentials": credentials}
    app = serve(**TRUSTED, sign_in_creates_users=True, **allowed)
    answered = await signed_in(
        app, "POST", "jobs", {"keywords": ["cat"]}, Sec_Fetch_Site="cross-site", Origin=origin
    )
    assert answered.status == status


async def test_a_header_that_names_nobody_is_refused(serve):
    app = serve(**TRUSTED, sign_in_creates_users=True)
    assert (await signed_in(app, "GET", "jobs", X_MS_CLIENT_PRINCIPAL="e30=")).status == 401


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[", 403),
        ("http://localhost.evil.example", 403),
        ("http://localhost", 201),
    ],
)
async def test_a_browser_that_names_only_the_origin_makes_no_changes_for_pages_of_other_sites(
    serve, origin, status
):
    app = serve(**TRUSTED, sign_in_creates_users=True)
    answered = await signed_in(app, "POST", "jobs", {"keywords": ["cat"]}, Origin=origin)
    assert answered.status == status, answered.body
