"""API2:2023 Broken Authentication: only a whole key that is valid now, or a trusted sign-in, tells who calls."""

import base64
import json
from datetime import timedelta

import pytest

from shared.users.access import Access
from shared.users.api_keys import digest_of, write_key
from shared.users.caller import Scope
from tests.unit.functions.http.http_calls import Caller
from tests.unit.functions.http.owasp.people import another_key
from tests.unit.manual_clock import ManualClock

FORGED = base64.b64encode(
    json.dumps({"auth_typ": "aad", "claims": [{"typ": "oid", "val": "admin"}]}).encode()
).decode()


def _spoilt(key: str) -> list[str]:
    prefix, secret = key[:27], key[27:]
    return [
        "",
        " ",
        "pxc_",
        prefix,
        f" {key}",
        f"{key}\n",
        f"{key}{key}",
        key.upper(),
        key.replace("pxc_", "\uff50xc_"),
        f"{prefix}{secret[:-1]}",
        f"{prefix}{chr(0xFF10) * len(secret)}",
        "\udcff" * 40,
        "\U0001f511" * 40,
        "x" * 60_000,
        "pxc_" * 15_000,
    ]


async def test_api2_malformed_and_huge_keys_are_refused_without_a_read_of_storage(people, monkeypatch):
    async def never(*_):
        raise AssertionError("storage was read")

    monkeypatch.setattr(type(people.app.users), "account", never)
    for number, key in enumerate(_spoilt(people.ann.calls.key)):
        # a network of its own, as wrong keys count against their network
        answered = await Caller(people.app, key).get("jobs", X_Forwarded_For=f"198.51.100.{number}")
        assert (answered.status, answered.body["code"]) == (401, "unauthenticated"), key[:80]
        assert "www-authenticate" in {name.lower() for name in answered.headers}


async def test_api2_the_public_part_of_a_key_is_worth_nothing(people):
    [key] = (await people.app.accounts.account(people.ann.id)).keys
    guessed = write_key(people.ann.id, key.id, bytes(32))
    assert (await Caller(people.app, guessed).get("jobs")).status == 401
    assert (await Caller(people.app, f"pxc_{people.ann.id}{key.id}_{key.digest}").get("jobs")).status == 401


async def test_api2_keys_in_other_places_are_no_keys(people):
    key = people.ann.calls.key
    stranger = Caller(people.app, "")
    assert (await stranger.get("jobs", f"code={key}")).status == 401
    assert (await stranger.get("jobs", Authorization=f"Bearer {key}")).status == 401
    assert (await stranger.get("jobs", Cookie=f"X-API-Key={key}")).status == 401


async def test_api2_a_key_ends_at_the_very_moment_at_which_it_expires(people):
    clock = ManualClock(people.app.clock.now())
    access = Access(people.app.users, (), clock)
    ends = (clock.now() + timedelta(hours=1)).isoformat()
    key = (await another_key(people.ann.calls, "me", expires_at=ends)).key
    clock.advance(3600 - 1e-6)
    assert (await access.identify(key)).user_id == people.ann.id
    clock.advance(1e-6)
    with pytest.raises(Exception, match="not known"):
        await access.identify(key)


@pytest.mark.parametrize("how", ["revoked", "disabled", "deleted"])
async def test_api2_another_instance_refuses_within_thirty_seconds(people, how):
    clock = ManualClock(people.app.clock.now())
    other = Access(people.app.users, (), clock)
    [key] = (await people.app.accounts.account(people.ann.id)).keys
    assert (await other.identify(people.ann.calls.key)).user_id == people.ann.id
    match how:
        case "revoked":
            ended = await people.ann.calls.delete(f"users/me/keys/{key.id}")
        case "disabled":
            ended = await people.admin.patch(f"users/{people.ann.id}", {"status": "disabled"})
        case _:
            ended = await people.admin.delete(f"users/{people.ann.id}", "datasets=keep")
    assert ended.status in {200, 202}
    assert (await people.ann.calls.get("jobs")).status == 401
    clock.advance(30)
    with pytest.raises(Exception, match="not known"):
        await other.identify(people.ann.calls.key)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "users/me/keys", {"name": "another", "scopes": ["read"]}),
        ("DELETE", "users/me/keys/key000", None),
        ("GET", "users/me/webhook-secret", None),
        ("POST", "users/me/webhook-secret/rotate", {}),
        ("POST", "users", {"name": "Eve"}),
        ("PATCH", "users/me", {"status": "active"}),
        ("PATCH", "datasets/{dataset}", {"legal_hold": False}),
    ],
)
async def test_api2_a_key_that_another_instance_has_just_revoked_leaves_nothing_behind(
    people, dataset, method, path, body
):
    eve = await another_key(people.admin, people.ann.id, "read", "submit", "admin")
    for _ in range(2):
        assert (await eve.get("users/profile")).status == 200
    revoked = next(
        key for key in (await people.app.users.account(people.ann.id)).keys if Scope.ADMIN in key.scopes
    )
    # the instance that is called does not know of it
    await people.app.users.revoke_key(people.ann.id, revoked.id)
    text = b"" if body is None else json.dumps(body).encode()
    assert (await eve.call(method, path.format(dataset=dataset), "", text, {})).status == 401


@pytest.mark.parametrize(
    "header", ["X_MS_CLIENT_PRINCIPAL", "X_MS_CLIENT_PRINCIPAL_ID", "X_MS_TOKEN_AAD_ID_TOKEN"]
)
async def test_api2_forged_headers_of_a_sign_in_name_nobody(people, header):
    stranger = Caller(people.app, "")
    assert (await stranger.get("jobs", **{header: FORGED})).status == 401
    assert (await stranger.get("users", **{header: FORGED})).status == 401


async def test_api2_the_text_of_a_key_is_shown_once_and_stored_nowhere(people):
    key = await another_key(people.ann.calls, "me")
    secret = key.key[27:70]
    seen = [
        (await people.ann.calls.get("users/me/keys")).text,
        (await people.ann.calls.get("users/profile")).text,
    ]
    seen.append((await people.admin.get(f"users/{people.ann.id}")).text)
    stored = str(vars(people.app.entities))
    assert digest_of(secret) in stored
    seen.append(stored)
    assert not any(secret in text for text in seen)
