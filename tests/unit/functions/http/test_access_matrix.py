"""Who may call what: every declared endpoint with every kind of key, and with what belongs to somebody else.

The cases are made from the declarations, so a new endpoint is in the matrix at once.
"""

import json
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.http.declared import Declared
from functions.http.pages.dashboard import dashboard_files
from shared.datasets.dataset import Dataset
from shared.jobs.job.job import Job
from shared.jobs.job.states import State
from shared.jobs.submission.uploaded_list import UploadedList, row_of
from shared.storage.blobs import Tier
from shared.storage.entities import Insert
from shared.users.api_keys import ApiKey, read_key, write_key
from shared.users.caller import ADMIN, Scope, TierName
from shared.users.user import Status, User
from shared.wiring import App
from tests.expect import present
from tests.unit.functions.http.http_calls import DECLARED, KEY, Answered, Caller, short

ROOT = Path(__file__).parents[4]
ANN, BOB, CARL = "0000000000000ann", "0000000000000b0b", "000000000000car1"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
JOB = "of-ann"
ALL_SCOPES = frozenset(Scope)
WITHOUT_ADMIN = ALL_SCOPES - {Scope.ADMIN}
PATHS = sorted(DECLARED)
_WORDS = {"file": "docs.js", "digest": dashboard_files().digest, "folder": "parts", "name": "dom.js"}
"""Parameters of paths that are no ids."""
PRIVATE = [name for name in PATHS if DECLARED[name].scope is not None]


@dataclass(frozen=True, slots=True)
class World:
    """Users with their keys, and a job, a dataset, a list and a key of Ann's."""

    app: App
    texts: dict[str, str]

    async def call(self, name: str, key: str, body: bytes = b"", **parameters: str) -> Answered:
        """Call an endpoint with these parameters of its path."""
        declared = DECLARED[name]
        given = _WORDS | parameters
        path = re.sub(r"\{(\w+)\}", lambda found: given.get(found[1], "nobodys"), short(declared.path))
        return await Caller(self.app, key).call(declared.method, path, "", body, {})

    async def add_user(self, user_id: str) -> None:
        await self.app.users.create(User(user_id, user_id, TierName.FREE, NOON))

    async def add_key(
        self,
        user_id: str,
        key_id: str,
        scopes: frozenset[Scope],
        expires_at: datetime | None = None,
        granted_by: str = ADMIN,
    ) -> str:
        text = write_key(user_id, key_id, key_id.encode().ljust(32))
        key = ApiKey(key_id, key_id, scopes, present(read_key(text)).digest, NOON, expires_at)
        key = replace(key, granted_by=granted_by)
        await self.app.users.add_key(user_id, key)
        return text


@pytest.fixture
async def world(app: App) -> World:
    world = World(app, {})
    for user_id in (ANN, BOB, CARL):
        await world.add_user(user_id)
    job = Job(JOB, ANN, JOB, State.FAILED, NOON, NOON)
    await app.job_data.jobs.create_ended(job)
    await app.catalog.put(_dataset())
    stored = UploadedList(JOB, JOB, "csv", NOON, 1, "", "")
    await app.entities.apply("lists", ANN, [Insert(row_of(ANN, [stored], ""))])
    await app.blobs.put(stored.blob(ANN), b"x")
    texts = {
        "ann": await world.add_key(ANN, "key000", WITHOUT_ADMIN),
        "others": await world.add_key(BOB, "key000", WITHOUT_ADMIN),
        "admins": await world.add_key(BOB, "key001", ALL_SCOPES),
        "expired": await world.add_key(BOB, "key002", ALL_SCOPES, expires_at=NOON + timedelta(days=1)),
        "revoked": await world.add_key(BOB, "key003", ALL_SCOPES),
        "fallen": await world.add_key(BOB, "key004", ALL_SCOPES, granted_by=CARL),
        "disabled": await world.add_key(CARL, "key000", ALL_SCOPES),
        **{scope.value: await world.add_key(BOB, f"key00{scope[0]}", frozenset({scope})) for scope in Scope},
    }
    await app.users.revoke_key(BOB, "key003")
    await app.users.change(CARL, lambda user: replace(user, status=Status.DISABLED))
    world.texts.update(
        texts,
        missing="",
        malformed="pxc_nothing",
        mistyped=texts["admins"][:-1] + ("a" if texts["admins"][-1] != "a" else "b"),
        wrong=write_key(BOB, "key001", bytes(32)),
        unknown=write_key("0000000000000000", "key001", bytes(32)),
    )
    return world


def _dataset() -> Dataset:
    return Dataset(
        id=JOB,
        user_id=ANN,
        name=JOB,
        created_at=NOON,
        image_count=1,
        size_bytes=1,
        format="zip",
        tier=Tier.HOT,
        blobs=(f"datasets/job_{JOB}/dataset.zip",),
        records_blob=f"datasets/job_{JOB}/records.jsonl.gz",
        counts={},
        splits={},
    )


def _allowed(declared: Declared) -> set[int]:
    """The statuses of a call that may be made, without a body and with ids that nobody has."""
    refused = {400} if _needs_input(declared) else {404} if "{" in declared.path else set()
    return refused or set(declared.answers)


def _needs_input(declared: Declared) -> bool:
    required = any(parameter.required for parameter in declared.query.values())
    return bool(declared.body or declared.media_types or required)


def _body_of(declared: Declared) -> bytes:
    return json.dumps(declared.example).encode() if declared.example else b""


@pytest.mark.parametrize(
    "key", ["missing", "malformed", "mistyped", "wrong", "unknown", "expired", "revoked", "disabled"]
)
@pytest.mark.parametrize("name", PATHS)
async def test_without_a_valid_key_only_public_calls_are_answered(world: World, name: str, key: str) -> None:
    answered = await world.call(name, world.texts[key])
    declared = DECLARED[name]
    if declared.scope is None:
        assert answered.status in declared.answers
    else:
        assert (answered.status, answered.body["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("name", PRIVATE)
async def test_a_key_allows_the_calls_of_its_scope_and_no_others(
    world: World, name: str, scope: Scope
) -> None:
    answered = await world.call(name, world.texts[scope], id=_own_id(name))
    if DECLARED[name].scope is scope:
        assert answered.status in _allowed(DECLARED[name]) | set(DECLARED[name].answers)
    else:
        assert (answered.status, answered.body["code"]) == (403, "forbidden")


@pytest.mark.parametrize("name", PRIVATE)
async def test_a_key_that_a_disabled_administrator_made_for_another_user_allows_no_administration(
    world: World, name: str
) -> None:
    answered = await world.call(name, world.texts["fallen"], id=_own_id(name))
    if DECLARED[name].scope is Scope.ADMIN:
        assert (answered.status, answered.body["code"]) == (403, "forbidden")
    else:
        assert answered.status in _allowed(DECLARED[name]) | set(DECLARED[name].answers)


def _own_id(name: str) -> str:
    return "me" if DECLARED[name].user else "nobodys"


@pytest.mark.parametrize("key", [KEY, "admins"])
@pytest.mark.parametrize("name", PRIVATE)
async def test_an_administrator_may_call_everything(world: World, name: str, key: str) -> None:
    answered = await world.call(name, world.texts.get(key, key))
    assert answered.status in _allowed(DECLARED[name])


@pytest.mark.parametrize("name", [name for name in PRIVATE if "{id}" in DECLARED[name].path])
async def test_what_belongs_to_another_user_is_as_if_it_did_not_exist(world: World, name: str) -> None:
    declared = DECLARED[name]
    theirs = ANN if declared.user else JOB
    key = world.texts["others"]
    body = _body_of(declared)
    found = await world.call(name, key, body, id=theirs, key_id="key000")
    if declared.scope is Scope.ADMIN:
        assert found.status == 403
        return
    absent = await world.call(name, key, body, id="nobodys", key_id="key000")
    assert found.status == absent.status == 404
    assert found.body["detail"].replace(theirs, "nobodys") == absent.body["detail"]
    assert [key.id for key in present(await world.app.users.account(ANN)).keys] == ["key000"]


@pytest.mark.parametrize("name", [name for name in PRIVATE if "{id}" in DECLARED[name].path])
async def test_what_belongs_to_the_caller_is_found(world: World, name: str) -> None:
    declared = DECLARED[name]
    if declared.scope is Scope.ADMIN:
        return
    mine = ANN if declared.user else JOB
    found = await world.call(name, world.texts["ann"], id=mine, key_id="key000")
    absent = await world.call(name, world.texts["ann"], id="nobodys", key_id="key000")
    assert (found.status, found.body.get("detail", "").replace(mine, "nobodys")) != (
        404,
        absent.body["detail"],
    )


@pytest.mark.parametrize("name", [name for name in PRIVATE if "{id}" in DECLARED[name].path])
async def test_an_administrator_reaches_only_what_is_declared_and_keeps_and_refreshes_datasets_of_others(
    world: World, name: str
) -> None:
    declared = DECLARED[name]
    theirs = ANN if declared.user else JOB
    found = await world.call(name, world.texts["admins"], _body_of(declared), id=theirs, key_id="key000")
    if declared.user or name in {"change_dataset", "refresh_dataset"}:
        # the dataset was not made by its job, so there is no spec to refresh it by
        state = {409} if name == "refresh_dataset" else set()
        assert found.status in set(declared.answers) | ({400} if _needs_input(declared) else set()) | state
        return
    absent = await world.call(name, world.texts["admins"], _body_of(declared), id="nobodys", key_id="key000")
    assert found.status == absent.status == 404
    assert found.body["detail"].replace(theirs, "nobodys") == absent.body["detail"]


async def test_lists_have_only_what_belongs_to_the_caller(world: World) -> None:
    for name in ("list_jobs", "list_datasets", "list_lists"):
        assert [item["id"] for item in (await world.call(name, world.texts["ann"])).body["items"]] == [JOB]
        assert (await world.call(name, world.texts["others"])).body["items"] == []


def test_the_app_serves_all_declared_endpoints_and_the_host_finds_each() -> None:
    program = "import function_app; print(*(f.get_function_name() for f in function_app.app.get_functions()))"
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - this very Python
    assert set(run.stdout.split()) >= DECLARED.keys()
    # the host takes the first function, by name, whose route matches
    for later, name in enumerate(PATHS):
        for earlier in PATHS[:later]:
            pattern = re.sub(r"\{\w+\}", "[^/]+", DECLARED[earlier].path)
            shadows = re.fullmatch(pattern, DECLARED[name].path) is not None
            assert not shadows or DECLARED[earlier].method != DECLARED[name].method, (earlier, name)
