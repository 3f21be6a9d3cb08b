"""A job's answer has only links that work, and says whether a submission was a repetition."""

CATS = {"keywords": ["cat"]}


async def test_an_answer_to_a_repeated_idempotency_key_says_that_it_is_one(caller):
    first = await caller.post("jobs", CATS, Idempotency_Key="order 7")
    again = await caller.post("jobs", CATS, Idempotency_Key="order 7")
    path = f"/api/v1/jobs/{first.body['id']}"
    assert (first.status, first.headers["Location"], "Idempotency-Replayed" in first.headers) == (
        201,
        path,
        False,
    )
    assert (again.status, again.headers["Location"], again.headers["Idempotency-Replayed"]) == (
        200,
        path,
        "true",
    )
    assert first.body == again.body
    assert (await caller.post("jobs", {"keywords": ["dog"]}, Idempotency_Key="order 7")).status == 409
    fresh = await caller.post("jobs", CATS)
    assert (fresh.status, "Idempotency-Replayed" in fresh.headers) == (201, False)


async def test_every_link_of_a_job_works(caller):
    job = (await caller.post("jobs", CATS)).body
    assert set(job["links"]) >= {"self", "cancel"}
    assert "retry" not in job["links"]
    path = job["links"]["cancel"].removeprefix("/api/v1/")
    cancelled = await caller.post(path)
    assert cancelled.body["links"].keys() >= {"self", "retry"}
    assert "cancel" not in cancelled.body["links"]
    assert cancelled.body["notice"] == (
        "Cancelled: 0 candidates were found, 0 processed, and 0 kept."
        " A retry continues from here, until the job's working files are deleted."
    )
    [listed] = (await caller.get("jobs")).body["items"]
    assert not {"retry", "cancel"} & listed["links"].keys()
    retried = await caller.post(cancelled.body["links"]["retry"].removeprefix("/api/v1/"))
    assert (retried.status, "retry" in retried.body["links"]) == (202, False)


async def test_the_job_of_a_refused_message_has_no_retry_link(app, caller):
    await app.intake.handle_job("message-1", r'{"name": "\ud83d"}', app.deadline())
    job = (await caller.get("jobs/message-1")).body
    assert job["state"] == "failed"
    assert "retry" not in job["links"]
    assert (await caller.post("jobs/message-1/retry")).status == 409
