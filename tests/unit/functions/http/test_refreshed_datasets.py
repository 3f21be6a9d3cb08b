"""Datasets are refreshed: by their owners, and by administrators without an image that is opted out."""

import hashlib
from typing import Any

import pytest
from aiohttp import web

from functions.http import endpoint
from playground.gallery import crop, default_photos
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE
from tests.unit.functions.http.http_calls import Caller, memory_app
from tests.unit.functions.http.test_users import make_key, make_user, recorded
from tests.unit.loopback import serving

IMAGES = 6


@pytest.fixture
def pictures():
    photo = default_photos() / "coffee.png"
    return [crop(photo, number, 90) for number in range(IMAGES)]


@pytest.fixture
async def site(pictures):
    async def answer(request):
        if not request.path.endswith(".jpg"):
            raise web.HTTPNotFound
        return web.Response(body=pictures[int(request.path[1:-4])], content_type="image/jpeg")

    async with serving(answer) as base:
        yield base


@pytest.fixture
async def app(monkeypatch):
    made = memory_app(crawl_allow_private_networks=True, chunk_size=2)
    monkeypatch.setattr(endpoint, "app", lambda: made)
    yield made
    await made.guarded_sessions.close()


@pytest.fixture
async def ann(caller):
    """A user who may make jobs."""
    user_id = await make_user(caller)
    return user_id, (await make_key(caller, user_id, "read", "submit"))[1]


async def handle(app, queue):
    for number, text in enumerate(app.queues.take(queue)):
        if queue == JOBS_QUEUE:
            await app.intake.handle_job(f"m{number}", text, app.deadline())
        elif queue == CHUNKS_QUEUE:
            await app.intake.handle_chunk(text, app.deadline(), redelivered=False)
        else:
            await app.intake.handle_archive(f"m{number}", text, app.deadline())


async def run(app):
    """Handles all messages of jobs."""
    for _ in range(20):
        for queue in (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE):
            await handle(app, queue)


def spec_of(site):
    urls = [{"url": f"{site}/{number}.jpg", "label": "cup"} for number in range(IMAGES)]
    return {"name": "cups", "sources": [{"type": "urls", "items": urls}], "dedup": {"near_distance": None}}


async def submit(user: Caller, site: str) -> str:
    answered = await user.post("jobs", spec_of(site))
    assert answered.status == 201, answered.body
    return str(answered.body["id"])


async def dataset_of(user: Caller, job_id: str) -> dict[str, Any]:
    answered = await user.get(f"datasets/{job_id}")
    assert answered.status == 200, (await user.get(f"jobs/{job_id}")).body
    return answered.body


def opt_out_of(picture):
    return {"kind": "sha256", "value": hashlib.sha256(picture).hexdigest()}


async def test_an_administrator_has_the_dataset_of_a_user_made_anew_without_the_image(
    app, caller, ann, site, pictures
):
    user_id, user = ann
    dataset_id = await submit(user, site)
    await run(app)
    assert (await dataset_of(user, dataset_id))["image_count"] == IMAGES
    optout = (await caller.post("optouts", opt_out_of(pictures[3]))).body
    [holding] = (await caller.get(f"optouts/{optout['id']}/datasets")).body["items"]
    assert (holding["dataset_id"], holding["indices"]) == (dataset_id, [3])
    refresh = holding["links"]["refresh"].removeprefix("/api/v1/")
    begun = await caller.post(refresh, {}, Idempotency_Key="one")
    assert (begun.status, begun.body["revision"]) == (202, 2)
    again = await caller.post(refresh, {}, Idempotency_Key="one")
    assert again.headers["Idempotency-Replayed"] == "true"
    await run(app)
    made = await dataset_of(user, dataset_id)
    assert (made["revision"], made["image_count"], made["diff"]["opted_out"]) == (2, IMAGES - 1, 1)
    assert (await caller.get(f"optouts/{optout['id']}/datasets")).body["items"] == []
    target = f"{user_id}/{dataset_id}"
    assert (await recorded(caller))[-2:] == [
        ("admin", "create_optout", optout["id"], "kind=sha256"),
        ("admin", "refresh_dataset", target, "check=false remove_gone=false"),
    ]
    [newest, *_] = (await caller.get("audit", "action=refresh_dataset")).body["items"]
    assert (newest["outcome"], newest["target"]) == ("repeated", target)


async def test_users_refresh_only_their_own_datasets_and_need_no_row_in_the_audit_trail(
    app, caller, ann, site
):
    _, user = ann
    dataset_id = await submit(user, site)
    await run(app)
    _, bob = await make_key(caller, await make_user(caller), "read", "submit")
    assert (await bob.post(f"datasets/{dataset_id}/refresh", {})).status == 404
    links = (await dataset_of(user, dataset_id))["links"]
    assert "diff" not in links
    assert (await user.post(links["refresh"].removeprefix("/api/v1/"), {})).status == 202
    # it runs already
    assert (await caller.post(f"datasets/{dataset_id}/refresh", {})).status == 409
    await run(app)
    diff = (await dataset_of(user, dataset_id))["links"]["diff"]
    assert (await user.get(diff.removeprefix("/api/v1/"))).body["counts"]["unchanged"] == IMAGES
    [refused] = (await caller.get("audit", "action=refresh_dataset")).body["items"]
    assert refused["outcome"] == "refused"


async def test_a_job_that_runs_leaves_out_what_is_opted_out_before_and_after_it_is_crawled(
    app, caller, ann, site, pictures
):
    _, user = ann
    job_id = await submit(user, site)
    await handle(app, JOBS_QUEUE)
    first, *later = app.queues.take(CHUNKS_QUEUE)
    await app.intake.handle_chunk(first, app.deadline(), redelivered=False)
    # the first chunk has the images 0 and 1
    for number in (0, 4):
        assert (await caller.post("optouts", opt_out_of(pictures[number]))).status == 201
    for text in later:
        await app.intake.handle_chunk(text, app.deadline(), redelivered=False)
    await run(app)
    counts = (await dataset_of(user, job_id))["labels"]["cup"]
    assert (counts["kept"], counts["rejected"]) == (IMAGES - 2, {"opted_out": 2})
    records = (await user.get(f"jobs/{job_id}/records", "reason=opted_out")).body["items"]
    assert sorted(record["index"] for record in records) == [0, 4]


async def test_opt_outs_that_are_made_again_and_removed_are_in_the_audit_trail(caller):
    body = {"kind": "host", "value": "artist.example.org"}
    made = (await caller.post("optouts", body)).body
    assert (await caller.post("optouts", body)).body == made
    await caller.delete(f"optouts/{made['id']}")
    rows = (await caller.get("audit")).body["items"]
    assert [(row["action"], row["outcome"]) for row in rows] == [
        ("delete_optout", "done"),
        ("create_optout", "repeated"),
        ("create_optout", "done"),
    ]
    assert {(row["target"], row["detail"]) for row in rows} == {(made["id"], "kind=host")}
    # the id of an opt-out is no user's
    assert (await caller.get("audit", f"user={made['id']}")).body["items"] == []


async def test_copies_that_were_left_out_before_a_refresh_are_in_its_report_too(app, ann, site, pictures):
    _, user = ann
    pictures[5] = pictures[0]
    dataset_id = await submit(user, site)
    await run(app)
    assert b"<span>1 copy</span>" in (await user.get(f"datasets/{dataset_id}/report")).data
    assert (await user.post(f"datasets/{dataset_id}/refresh", {})).status == 202
    await run(app)
    assert (await dataset_of(user, dataset_id))["revision"] == 2
    assert b"<span>1 copy</span>" in (await user.get(f"datasets/{dataset_id}/report")).data
