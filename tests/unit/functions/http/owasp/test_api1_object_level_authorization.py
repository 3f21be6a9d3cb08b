"""API1:2023 Broken Object Level Authorization: whatever id a caller sends, it reaches the caller's own things only."""

import json
import re

import pytest

from functions.http.declared import Declared
from shared.clock import Deadline
from shared.jobs.job.states import State
from shared.records.blob_names import INPUTS
from tests.unit.functions.http.http_calls import DECLARED, Answered, short
from tests.unit.functions.http.owasp.people import People

WITH_IDS = [name for name, declared in DECLARED.items() if "{id}" in declared.path]


async def _call(people: People, declared: Declared, **ids: str) -> Answered:
    path = re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], short(declared.path))
    body = json.dumps(declared.example).encode() if declared.example else b""
    return await people.bob.calls.call(declared.method, path, "", body, {})


def _text_without(answered: Answered, *ids: str) -> str:
    text = answered.text.replace(answered.body["correlation_id"], "")
    for each in ids:
        text = text.replace(each, "")
    return text


@pytest.mark.parametrize("name", WITH_IDS)
async def test_api1_ids_of_others_in_paths_are_answered_like_ids_of_nobody(people, dataset, name):
    declared = DECLARED[name]
    theirs = people.ann.id if declared.user else dataset
    key_id = next(iter((await people.app.accounts.account(people.ann.id)).keys)).id
    found = await _call(people, declared, id=theirs, key_id=key_id, delivery_id="msg_1", n="r1-0-0")
    absent = await _call(
        people, declared, id="0" * len(theirs), key_id=key_id, delivery_id="msg_1", n="r1-0-0"
    )
    assert found.status in {403, 404}
    assert _text_without(found, theirs) == _text_without(absent, "0" * len(theirs))
    account = await people.app.accounts.account(people.ann.id)
    assert [key.id for key in account.keys] == [key_id]
    stored = await people.app.job_data.jobs.require(people.ann.id, dataset)
    assert stored.state is State.QUEUED


@pytest.mark.parametrize(
    "part", [lambda it: {"sources": [{"type": "dataset", "id": it}]}, lambda it: {"dedup": {"against": [it]}}]
)
async def test_api1_a_spec_names_no_dataset_of_another_user(people, dataset, part):
    found = await people.bob.calls.post("jobs", {"keywords": ["cat"], **part(dataset)})
    absent = await people.bob.calls.post("jobs", {"keywords": ["cat"], **part("0" * 24)})
    assert found.status == absent.status == 400
    assert found.errors == absent.errors
    own = await people.ann.calls.post("jobs", {"keywords": ["cat"], **part(dataset)})
    assert own.status == 201
    assert (await people.bob.calls.get("jobs")).body["items"] == []


@pytest.mark.parametrize("of_ann", ["{ann}/list.csv", "list.csv", "{bob}/../{ann}/list.csv", "{bob}list.csv"])
async def test_api1_a_spec_names_no_list_of_another_user(people, of_ann):
    name = INPUTS + of_ann.format(ann=people.ann.id, bob=people.bob.id)
    await people.app.blobs.put(name, b"url\nhttps://images.example/private.jpg\n")
    refused = await people.bob.calls.post("jobs", {"sources": [{"type": "urls", "blob": name}]})
    assert (refused.status, [field for field, _ in refused.errors]) == (400, ["sources.0.blob"])
    own = {"type": "urls", "blob": f"{INPUTS}{people.bob.id}/list.csv"}
    assert (await people.bob.calls.post("jobs", {"sources": [own]})).status == 201


async def test_api1_one_idempotency_key_of_two_users_makes_two_jobs(people, job):
    answered = await people.bob.calls.post("jobs", {"keywords": ["cat"]}, Idempotency_Key="first")
    assert answered.status == 201
    assert answered.body["id"] != job
    again = await people.ann.calls.post("jobs", {"keywords": ["cat"]}, Idempotency_Key="first")
    assert (again.status, again.body["id"]) == (200, job)


async def test_api1_a_cursor_of_anothers_list_shows_nothing_of_that_list(people, job):
    assert (await people.ann.calls.post("jobs", {"keywords": ["dog"]})).status == 201
    page = (await people.ann.calls.get("jobs", "limit=1")).body
    cursor = page["next"].partition("cursor=")[2]
    assert (await people.ann.calls.get("jobs", f"cursor={cursor}")).body["items"][0]["id"] == job
    assert (await people.bob.calls.get("jobs", f"cursor={cursor}")).body["items"] == []


async def test_api1_ids_of_messages_and_ids_that_they_asked_for_find_jobs_of_their_owner_only(people):
    app = people.app
    taken = json.dumps({"keywords": ["cat"]})
    refused = json.dumps({"job_id": "asked-for", "keywords": []})
    await app.intake.handle_job("message-1", taken, Deadline(app.clock, 60))
    await app.intake.handle_job("message-2", refused, Deadline(app.clock, 60))
    for name in ("message-1", "message-2", "asked-for"):
        assert (await people.admin.get(f"jobs/{name}")).status == 200
        assert (await people.bob.calls.get(f"jobs/{name}")).status == 404


async def test_api1_a_producers_message_names_no_other_owner(people):
    message = json.dumps({"user_id": people.ann.id, "keywords": ["cat"]})
    await people.app.intake.handle_job("message-3", message, Deadline(people.app.clock, 60))
    assert (await people.ann.calls.get("jobs")).body["items"] == []
    assert (await people.admin.get("jobs/message-3")).body["state"] == "failed"
