"""Calls are limited by user, key and address, and every answer says what is left."""

import asyncio
from datetime import UTC, datetime

import pytest

from shared.errors import Unavailable
from shared.storage.memory.entities import MemoryEntities
from shared.telemetry.recording import RecordingTelemetry
from shared.users.api_keys import ApiKey, read_key, write_key
from shared.users.caller import Scope, TierName
from shared.users.user import User
from tests.expect import present
from tests.unit.functions.http.http_calls import Caller, memory_app
from tests.unit.manual_clock import ManualClock

ANN = "0000000000000ann"
AT = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
ADDRESS = "203.0.113.7"


class Entities(MemoryEntities):
    """Counts reads of users, and fails on demand where calls are counted."""

    look_ups = 0
    counting_fails = False

    def query(self, table, partition, *, after="", before=""):
        self.look_ups += table == "users"
        return super().query(table, partition, after=after, before=before)

    async def apply(self, table, partition, changes):
        if self.counting_fails and table == "ratelimits":
            raise Unavailable("Storage does not answer.")
        return await super().apply(table, partition, changes)


@pytest.fixture
def entities():
    return Entities()


@pytest.fixture
def make_app(monkeypatch, entities):
    def make(**settings):
        tiers = '{"free": {"requests_per_minute": 20, "requests_per_minute_per_key": 15}}'
        settings = {"tiers": tiers, "address_requests_per_minute": 10, "trusted_forwarders": 1, **settings}
        made = memory_app(**settings)
        vars(made).update(clock=ManualClock(AT), entities=entities, telemetry=RecordingTelemetry())
        monkeypatch.setattr("functions.http.endpoint.app", lambda: made)
        return made

    return make


@pytest.fixture
def app(make_app):
    return make_app()


async def key_of(app, key_id):
    """Make a key of Ann's."""
    await app.users.create(User(ANN, "Ann", TierName.FREE, AT))
    text = write_key(ANN, key_id, key_id.encode().ljust(32))
    key = ApiKey(key_id, "", frozenset({Scope.READ}), present(read_key(text)).digest, AT)
    await app.users.add_key(ANN, key)
    return text


def wrong_key(number):
    """A key that is well formed, of a user whom nobody knows."""
    return write_key(f"{number:016}", "key000", bytes(32))


async def statuses(app, keys, path="jobs", address=ADDRESS):
    return [(await Caller(app, key).get(path, X_Forwarded_For=address)).status for key in keys]


async def test_a_user_may_call_so_often_with_all_keys_together(app):
    keys = [await key_of(app, f"key00{number}") for number in range(2)]
    assert await statuses(app, keys * 11) == [200] * 20 + [429] * 2


async def test_one_key_may_call_less_often_than_its_user(app):
    first, second = [await key_of(app, f"key00{number}") for number in range(2)]
    assert await statuses(app, [first] * 16) == [200] * 15 + [429]
    assert await statuses(app, [second] * 6) == [200] * 5 + [429]


async def test_a_refused_call_says_when_to_try_again_and_then_it_is_answered(app):
    key = await key_of(app, "key000")
    await statuses(app, [key] * 15)
    refused = await Caller(app, key).get("jobs")
    assert (refused.status, refused.body["code"]) == (429, "rate_limited")
    assert "15 in a minute" in refused.body["detail"]
    app.clock.advance(int(refused.headers["Retry-After"]))
    assert (await Caller(app, key).get("jobs")).status == 200


@pytest.mark.parametrize(("path", "status"), [("jobs", 200), ("jobs/none", 404), ("users", 403)])
async def test_every_answer_to_a_user_says_what_is_left(app, path, status):
    answered = await Caller(app, await key_of(app, "key000")).get(path)
    assert answered.status == status
    assert answered.headers["RateLimit-Policy"] == '"user";q=20;w=60, "key";q=15;w=60'
    assert answered.headers["RateLimit"] == '"user";r=19;t=30, "key";r=14;t=30'


async def test_an_answer_to_a_stranger_says_what_is_left_for_the_address(app):
    answered = await Caller(app, "").get("jobs", X_Forwarded_For=ADDRESS)
    assert answered.status == 401
    assert answered.headers["RateLimit-Policy"] == '"address";q=10;w=60'
    assert answered.headers["RateLimit"] == '"address";r=9;t=30'


async def test_an_address_may_be_refused_so_often_and_no_other_address_suffers(app):
    assert await statuses(app, [""] * 12) == [401] * 10 + [429] * 2
    assert await statuses(app, [""], address=f"{ADDRESS}, 198.51.100.9") == [401]
    assert await statuses(app, [""], address=f"198.51.100.9, {ADDRESS}") == [429]


async def test_an_attacker_cannot_use_another_address_of_the_same_ipv6_network(app):
    assert await statuses(app, [""] * 11, address="2001:db8:1:2::1") == [401] * 10 + [429]
    assert await statuses(app, [""], address="[2001:db8:1:2:ffff::9]:443") == [429]
    assert await statuses(app, [""], address="2001:db8:1:3::1") == [401]


async def test_wrong_keys_cost_the_table_no_more_than_the_address_may_try(app, entities):
    found = await statuses(app, [wrong_key(number) for number in range(200)])
    assert found == [401] * 10 + [429] * 190
    assert entities.look_ups == 10


async def test_wrong_keys_at_the_same_time_cost_the_table_a_few_reads_more(app, entities):
    keys = [wrong_key(number) for number in range(200)]
    await asyncio.gather(*(statuses(app, [key]) for key in keys))
    assert entities.look_ups <= 10 + 8


async def test_health_looks_up_no_more_wrong_keys_than_other_calls(app, entities):
    found = await statuses(app, [wrong_key(number) for number in range(50)], "/health")
    assert set(found) <= {200, 503}
    assert entities.look_ups == 10


async def test_health_probes_are_neither_refused_nor_counted(app):
    assert set(await statuses(app, [""] * 50, "/health/live")) == {200}
    answered = await Caller(app, "").get("/health/live", X_Forwarded_For=ADDRESS)
    assert "RateLimit" not in answered.headers
    assert await statuses(app, [""]) == [401]


async def test_somebody_who_tries_keys_does_not_lock_out_those_who_call_from_the_same_address(app):
    key = await key_of(app, "key000")
    # the first call also stores when the key was used, and reads the user again
    assert await statuses(app, [key, key]) == [200, 200]
    await statuses(app, [wrong_key(number) for number in range(20)])
    assert await statuses(app, [key, "the-key", ""]) == [200, 200, 429]


async def test_one_event_a_minute_reports_who_is_refused(app):
    await statuses(app, [""] * 20)
    [event] = app.telemetry.named("rate_limit_exceeded")
    assert event.properties["path"] == "/api/v1/jobs"
    assert event.properties["method"] == "GET"
    assert event.properties["client_ip"] == ADDRESS
    assert 0 < event.properties["expires_in_seconds"] <= 60


async def test_calls_are_answered_without_limits_while_they_cannot_be_counted(app, entities, caplog):
    key = await key_of(app, "key000")
    entities.counting_fails = True
    answered = [await Caller(app, key).get("jobs") for _ in range(30)]
    assert {answer.status for answer in answered} == {200}
    assert "RateLimit" not in answered[-1].headers
    assert len([record for record in caplog.records if "cannot be counted" in record.getMessage()]) == 1


async def test_addresses_that_clients_send_themselves_are_not_believed(make_app):
    app = make_app(trusted_forwarders=0)
    found = [await statuses(app, [""], address=f"198.51.100.{number}") for number in range(11)]
    assert found == [[401]] * 10 + [[429]]
