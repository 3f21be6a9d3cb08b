"""The id of a job is computed from its user and the key of its submission. So no row is stored for the key."""

import json

import pytest

from shared.errors import Conflict
from shared.ids import RandomIds, is_plain_id, keyed_job_id
from shared.jobs.job.keys import message_key
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission

CATS = {"keywords": ["cat"], "sources": [{"type": "fake", "total": 3}]}
DOGS = {**CATS, "keywords": ["dog"]}


def test_the_id_of_a_key_looks_like_a_random_id():
    computed, random = keyed_job_id("ann", "k"), RandomIds().job_id()
    assert len(computed) == len(random)
    assert is_plain_id(computed)
    # ids that are stored must stay the same
    assert computed == keyed_job_id("ann", "k") == "fc990c2959a01c79feeec895"


def test_two_pairs_of_user_and_key_have_two_ids():
    pairs = [
        ("ann", "k"),
        ("an", "nk"),
        ("bob", "k"),
        ("ann", "K"),
        ("ann", ""),
        ("3:ann", "k"),
        ("", "annk"),
    ]
    pairs += [("1", "2:xy"), ("12", ":xy"), ("ann", "\ud83d"), ("ann", "\ud83d\ude00"), ("ann", "\U0001f600")]
    assert len({keyed_job_id(*pair) for pair in pairs}) == len(pairs)


async def test_two_users_with_one_key_have_two_jobs(flow):
    await flow.add_user("ann")
    spec = flow.specs.parse(CATS)
    jobs = [await flow.submit.run(Submission(user, spec, "k")) for user in ("admin", "ann", "admin", "ann")]
    assert [job.user_id for job in jobs] == ["admin", "ann", "admin", "ann"]
    assert (jobs[0].id, jobs[1].id) == (jobs[2].id, jobs[3].id)
    assert jobs[0].id != jobs[1].id


async def test_a_key_whose_computed_id_a_producer_has_chosen_is_refused(flow):
    taken = keyed_job_id("admin", "k")
    await flow.intake.handle_job("m1", json.dumps({**DOGS, "job_id": taken}), flow.deadline())
    with pytest.raises(Conflict, match="its spec is another one"):
        await flow.submit.run(Submission("admin", flow.specs.parse(CATS), "k"))
    assert (await flow.jobs.require("admin", taken)).message_id == "m1"


async def test_a_chosen_id_that_equals_a_computed_one_is_refused(flow):
    job = await flow.submit.run(Submission("admin", flow.specs.parse(CATS), "k"))
    await flow.intake.handle_job("m1", json.dumps({**DOGS, "job_id": job.id}), flow.deadline())
    refused = await flow.keys.find("admin", "m1")
    assert (refused.state, refused.requested_id) == (State.FAILED, job.id)
    assert "its spec is another one" in refused.failure.detail
    assert await flow.keys.find("admin", job.id) == await flow.job(job)


async def test_another_users_job_of_a_computed_id_is_not_touched(flow):
    await flow.add_user("ann")
    job = await flow.submit.run(Submission("admin", flow.specs.parse(DOGS), None, keyed_job_id("ann", "k")))
    with pytest.raises(Conflict, match="taken: by another user"):
        await flow.submit.run(Submission("ann", flow.specs.parse(CATS), "k"))
    assert await flow.jobs.get("ann", job.id) is None


async def test_a_key_and_the_id_of_a_message_are_never_the_same(flow):
    by_http = await flow.submit.run(Submission("admin", flow.specs.parse(CATS), "http:m1"))
    await flow.intake.handle_job("m1", json.dumps(CATS), flow.deadline())
    assert by_http.id != keyed_job_id("admin", message_key("m1"))
    assert (await flow.keys.find("admin", "m1")).message_id == "m1"
