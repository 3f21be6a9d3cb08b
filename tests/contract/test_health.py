"""The health of the app with real storage that answers, that hangs, or that does not exist."""

import asyncio
import logging
import secrets
import socket
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from functions import message
from functions.http import endpoint
from functions.http.endpoints.operators import health
from functions.message import handling
from shared.health.parts import ask_queues
from shared.health.probe import ProbeLimits
from shared.settings import Settings
from shared.users.api_keys import ApiKey, read_key, write_key
from shared.users.caller import ADMIN, Scope, TierName
from shared.users.user import User
from shared.wiring import App
from tests.expect import present
from tests.unit.functions.http.http_calls import KEY, Caller
from tests.unit.functions.test_trace_context import context_of, message_of
from tests.unit.manual_clock import ManualClock

SERVICES = {"blob": "blob_container", "table": "tables", "queue": "queues"}
KEY_SECONDS = health._KEY_SECONDS
SCHEDULES: dict[str, Any] = {
    "lifecycle_schedule": "0 0 2 * * *",
    "business_metrics_schedule": "0 */10 1-4 * * *",
    "watchdog_schedule": "0 */10 * * * *",
}


def limit(app, seconds, *names):
    """Sets how long these parts, or all parts, may take to answer."""
    for part in app.health._parts:
        if not names or part.part.name in names:
            part._limits = replace(part._limits, answer_seconds=seconds)


@pytest.fixture
async def app(proxied_connection, unique, monkeypatch):
    made = App(
        Settings(
            storage_connection=proxied_connection, admin_api_key=KEY, datasets_container=unique, **SCHEDULES
        )
    )
    for module in (endpoint, message):
        monkeypatch.setattr(module, "app", lambda: made)
    # a busy machine may take longer than the two seconds of the app
    limit(made, 60.0)
    monkeypatch.setattr(health, "_KEY_SECONDS", 60.0)
    made.answer_within_seconds = 100.0
    yield made
    for store in (made.blobs, made.entities, made.queues):
        await store.close()


@pytest.fixture
def owner(app):
    return Caller(app)


@pytest.fixture
def stranger(app):
    return Caller(app, key="")


def statuses(answered):
    return {name: check["status"] for name, check in answered.body["checks"].items()}


async def test_the_depth_of_each_queue_is_reported_and_a_message_in_a_poison_queue_is_a_problem(
    queues, unique
):
    """In memory and on Azurite."""
    empty, used = f"{unique}-a", f"{unique}-b"
    for _ in range(2):
        await queues.send(used, "work")
    found = await ask_queues(queues, (empty, used))
    assert found.facts == {empty: 0, f"{empty}-poison": 0, used: 2, f"{used}-poison": 0}
    assert found.problem is None
    await queues.send(f"{used}-poison", "work")
    found = await ask_queues(queues, (empty, used))
    assert (found.facts[f"{used}-poison"], found.facts[used]) == (1, 2)
    assert found.problem == f"Messages have failed for good: 1 in {used}-poison."


@pytest.mark.parametrize("scopes", [frozenset({Scope.ADMIN}), frozenset({Scope.READ, Scope.SUBMIT})])
async def test_of_the_keys_of_users_those_of_administrators_show_details(app, scopes):
    user_id, secret = secrets.token_hex(8), b"\x07" * 32
    text = write_key(user_id, "key001", secret)
    presented = present(read_key(text))
    now = app.clock.now()
    await app.users.create(User(user_id, "Ann", TierName.FREE, now))
    await app.users.add_key(
        user_id, ApiKey("key001", "laptop", scopes, presented.digest, now, granted_by=ADMIN)
    )
    answered = await Caller(app, key=text).get("/health")
    assert ("checks" in answered.body) is (Scope.ADMIN in scopes)


async def test_strangers_see_the_verdict_and_the_administrator_sees_every_part(app, owner, stranger):
    for path in ("/health", "/health/ready", "/health/live"):
        for caller in (stranger, Caller(app, key="wrong"), Caller(app, key="pxc_x_y")):
            answered = await caller.get(path)
            assert (answered.status, set(answered.body)) == (200, {"status"})
    ready, whole = await owner.get("/health/ready"), await owner.get("/health")
    assert set(statuses(ready)) == set(SERVICES.values())
    assert set(statuses(whole)) == {*SERVICES.values(), "application_insights", "timers"}
    assert set(statuses(whole).values()) <= {"healthy", "degraded"}
    checks = whole.body["checks"]
    assert checks["blob_container"]["facts"] == {"container": app.settings.datasets_container}
    assert {"crawl-jobs", "crawl-jobs-poison", "webhooks-poison"} <= set(checks["queues"]["facts"])
    assert checks["application_insights"]["facts"]["configured"] is False
    assert (whole.body["platform"]["service"], whole.body["version"]) == ("local", app.version)
    assert "azure-storage-blob" in whole.body["versions"]


async def test_the_administrator_sees_which_models_lack_files(proxied_connection, unique, monkeypatch):
    named = {"relevance_model": "onnx:clip", "faces_model": "yunet", "nsfw_model": "falcon"}
    settings = Settings(
        storage_connection=proxied_connection,
        admin_api_key=KEY,
        datasets_container=unique,
        **SCHEDULES,
        **named,
    )
    made = App(settings)
    monkeypatch.setattr(endpoint, "app", lambda: made)
    limit(made, 60.0)
    await made.blobs.put("models/yunet/model.onnx", b"weights")
    owner = Caller(made)

    checks = (await owner.get("/health")).body["checks"]

    assert (checks["faces_model"]["status"], checks["faces_model"]["facts"]) == (
        "healthy",
        {"model": "yunet"},
    )
    assert (checks["nsfw_model"]["status"], checks["nsfw_model"]["facts"]) == (
        "degraded",
        {"model": "falcon"},
    )
    for file in ("config.json", "preprocessor_config.json", "model.onnx"):
        assert f"models/falcon/{file}" in checks["nsfw_model"]["detail"]
    assert "models/clip/text_model.onnx" in checks["relevance_model"]["detail"]
    assert (await owner.get("/health/ready")).body["checks"].keys() == set(SERVICES.values())
    for store in (made.blobs, made.entities, made.queues):
        await store.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_storage_that_hangs_costs_every_caller_two_seconds(
    app, owner, stranger, proxies, service, monkeypatch
):
    proxies[service].stalling = True
    limit(app, ProbeLimits().answer_seconds, SERVICES[service])
    monkeypatch.setattr(health, "_KEY_SECONDS", KEY_SECONDS)
    of_key = Caller(app, key="pxc_some-user_0123456789")

    async def ask():
        return await asyncio.gather(
            *(
                caller.get(path)
                for caller in (owner, stranger, of_key)
                for path in ("/health", "/health/ready")
            )
        )

    answers, seconds = await timed(ask)
    for _ in range(3):
        if seconds >= 4:  # a busy machine may delay one attempt, but hardly all
            await asyncio.sleep(ProbeLimits().failure_fresh_seconds + 0.1)
            answers, seconds = await timed(ask)
    assert 1.9 < seconds < 4
    assert {(answer.status, answer.body["status"]) for answer in answers} == {(503, "unhealthy")}
    assert {name for name, status in statuses(answers[0]).items() if status == "unhealthy"} == {
        SERVICES[service]
    }
    check = answers[0].body["checks"][SERVICES[service]]
    assert check["detail"] == "no answer within 2 seconds"
    alive = [await timed(lambda: stranger.get("/health/live")) for _ in range(3)]
    assert {answer.status for answer, _ in alive} == {200}
    assert min(seconds for _, seconds in alive) < 1


async def timed(ask):
    """Returns the answer, and how many seconds it took."""
    began = time.monotonic()
    return await ask(), time.monotonic() - began


async def test_storage_that_answers_again_is_ready_a_second_later(app, stranger, proxies):
    clock = ManualClock()
    for part in app.health._parts:
        part._clock = clock
    proxies["table"].stalling = True
    limit(app, 0.5, "tables")
    assert (await stranger.get("/health/ready")).status == 503
    proxies["table"].stalling = False
    limit(app, 60.0)
    assert (await stranger.get("/health/ready")).status == 503
    clock.advance(1.1)
    assert (await stranger.get("/health/ready")).status == 200


@pytest.fixture
def closed_port():
    """A port on which nobody listens, so it refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_storage_that_is_not_there_is_unhealthy(azurite, closed_port, monkeypatch):
    text = azurite.connection_string
    for name in SERVICES:
        text = text.replace(f":{getattr(azurite.ports, name)}/", f":{closed_port}/")
    app = App(Settings(storage_connection=text, admin_api_key=KEY))
    monkeypatch.setattr(endpoint, "app", lambda: app)
    answered = await Caller(app).get("/health/ready")
    assert (answered.status, answered.body["status"]) == (503, "unhealthy")
    told = {check["detail"] for check in answered.body["checks"].values()}
    assert told == {"no answer within 2 seconds"}
    for store in (app.blobs, app.entities, app.queues):
        await store.close()


async def test_a_setting_that_names_no_storage_is_unhealthy(monkeypatch):
    app = App(Settings(storage_connection="nonsense", admin_api_key=KEY))
    monkeypatch.setattr(endpoint, "app", lambda: app)
    answered = await Caller(app).get("/health")
    assert (answered.status, answered.body) == (503, {"status": "unhealthy"})
    checks = {check.name: check for check in (await app.health.check()).checks}
    assert {checks[name].status for name in SERVICES.values()} == {"unhealthy"}


async def test_one_line_after_the_start_says_how_the_services_are(app, stranger, caplog):
    """A call and a message are invocations. Neither waits for the check."""
    caplog.set_level(logging.INFO, logger="shared.health")
    imports = threading.Thread(target=lambda: None)
    imports.start()
    app.report_services_after(imports)
    await stranger.get("/health/live")
    await app._start_report._checking
    async with handling("work", message_of("{}"), context_of(None)):
        pass
    await stranger.get("/health/live")
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("Services at the start, local: ")
    assert ", application insights not set up, timers healthy" in line
    for name in ("blob container", "tables", "queues"):
        assert f"{name} " in line
