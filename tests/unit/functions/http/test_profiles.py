"""The profile over HTTP: what a caller may do and has used, also without a user."""

from datetime import datetime
from typing import Any

from shared.telemetry.recording import RecordingTelemetry
from shared.users.access import Access
from shared.users.quotas.reservation import Wish
from tests.unit.functions.http.test_users import make_key, make_user


class _DeletedAfterTheCheck:
    """Knows callers by their keys, but has no account of theirs any more."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def __getattr__(self, name: str) -> Any:
        return getattr(self._access, name)

    async def account(self, user_id: str) -> None:
        """Finds no account."""
        del user_id


async def test_a_new_user_with_a_key_can_call_and_has_a_profile(caller):
    user_id = await make_user(caller, tier="pro")
    _, ann = await make_key(caller, user_id, "read")
    answered = await ann.get("users/profile")
    assert answered.status == 200
    assert answered.body | {"created_at": "", "usage": {}} == {
        "id": user_id,
        "name": "Ann",
        "tier": "pro",
        "created_at": "",
        "scopes": ["read"],
        "usage": {},
        "limits": {
            "requests_per_minute": 300,
            "requests_per_minute_per_key": None,
            "jobs_at_once": 10,
            "images_per_month": 1_000_000,
            "images_per_job": 250_000,
            "cool_after_days": None,
            "cold_after_days": None,
            "archive_after_days": None,
            "delete_after_days": None,
            "monthly_price_usd": 29.0,
        },
        "links": {"self": "/api/v1/users/profile", "keys": "/api/v1/users/me/keys"},
    }


async def test_a_profile_has_the_use_of_this_month(app, caller):
    user_id = await make_user(caller)
    _, ann = await make_key(caller, user_id, "read")
    now = app.clock.now()
    for job_id, images in (("done", 30), ("open", 20)):
        await app.usage.reserve(Wish(user_id, job_id, f"{job_id}-token", images), app.tiers["free"], now)
    await app.usage.settle(user_id, "done", "done-token", 7)
    usage = (await ann.get("users/profile")).body["usage"]
    assert (usage["jobs_open"], usage["images_kept"], usage["images_reserved"]) == (1, 7, 20)
    assert datetime.fromisoformat(usage["resets_at"]) > now


async def test_the_administrator_of_the_settings_has_a_profile_without_tier_and_limits(app, caller):
    vars(app)["telemetry"] = telemetry = RecordingTelemetry()
    answered = await caller.get("users/profile")
    assert (answered.status, answered.body) == (
        200,
        {
            "id": "admin",
            "name": "Administrator of the settings",
            "tier": None,
            "created_at": None,
            "scopes": ["admin", "read", "submit"],
            "usage": None,
            "limits": None,
            "links": {"self": "/api/v1/users/profile"},
        },
    )
    assert telemetry.named("profile_not_found") == []


async def test_the_administrator_of_the_settings_reads_why_there_are_no_keys(caller):
    for user in ("me", "admin"):
        answered = await caller.get(f"users/{user}/keys")
        assert (answered.status, answered.body["detail"]) == (
            404,
            "The administrator of the settings is no user, and has no other keys. Name a user.",
        )


async def test_a_caller_who_is_deleted_meanwhile_has_no_profile_and_telemetry_says_so(app, caller):
    user_id = await make_user(caller)
    _, ann = await make_key(caller, user_id, "read")
    vars(app)["telemetry"] = telemetry = RecordingTelemetry()
    vars(app)["access"] = _DeletedAfterTheCheck(app.access)
    assert (await ann.get("users/profile")).status == 404
    [event] = telemetry.named("profile_not_found")
    assert event.properties == {"user_id": user_id, "endpoint": "/api/v1/users/profile"}


async def test_the_administrator_of_the_settings_has_a_webhook_secret_like_a_user(caller):
    first = await caller.post("users/me/webhook-secret/rotate", {})
    assert first.status == 200
    assert (await caller.get("users/me/webhook-secret")).body == first.body
