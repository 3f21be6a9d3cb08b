"""Messages with forged ids are dropped, and flawed messages become failed jobs."""

import base64
import json
import logging

import pytest

from shared.jobs.job.job import Failure
from shared.jobs.job.messages import (
    ARCHIVES_QUEUE,
    CHUNKS_QUEUE,
    JOBS_QUEUE,
    ChunkMessage,
    ForgedMessage,
    JobMessage,
    encode,
    read_chunk_message,
    read_job_message,
)

SCORE = "filters.scores.entropy.min"
HALF = "must be valid Unicode: it has half of a surrogate pair"
NO_IDS = [
    "~work",
    "~refused-admin",
    "~slots-admin",
    "",
    " ",
    "a/b",
    "..",
    "-a",
    "a\n",
    "\u0661",
    "x" * 65,
    5,
    True,
    None,
    ["a"],
]
PLAN = "0123456789ab"
FORGED = [
    *({"user_id": wrong} for wrong in NO_IDS),
    *({"job_id": wrong} for wrong in NO_IDS),
    *({"revision": wrong} for wrong in (0, -1, True, "1", 1.0, 1 << 31, None)),
    *({"v": wrong} for wrong in (0, 2, True, "1", 1.0, None)),
    *({"part": wrong} for wrong in ("0", "../0", f"{PLAN}/", f"{PLAN}/\u0663", f"{PLAN}/00000", f"{PLAN}/0\n")),
    {"traceparent": "x" * 101},
    {"correlation_id": "x" * 101},
]  # fmt: skip
CHUNKS = [
    "",
    "1",
    "00001",
    "000001c",
    "000001/..",
    "000001.1",
    "~",
    "00000\u0661",
    "000001\n",
    "000001" + "a" * 300,
    1,
    None,
]


def _job(**changes):
    return {
        "user_id": "admin",
        "job_id": "job1",
        "traceparent": "",
        "correlation_id": "",
        "revision": 1,
        "v": 1,
        "part": "",
    } | changes


def _chunk(**changes):
    return {"user_id": "admin", "job_id": "job1", "chunk": "000001", "traceparent": "", "v": 1} | changes


@pytest.mark.parametrize("changes", FORGED, ids=str)
async def test_forged_ids_in_messages_are_dropped_with_a_warning(flow, changes, caplog):
    text = json.dumps(_job(**changes))
    with caplog.at_level(logging.WARNING):
        await flow.intake.handle_job("m1", text, flow.deadline())
        await flow.intake.handle_archive("m1", text, flow.deadline())
        await flow.intake.handle_poisoned_job("m1", text)
        await flow.intake.handle_poisoned_archive("m1", text)
    assert [record.getMessage() for record in caplog.records] == [
        "A message was dropped (intake). The message has no valid ids of a job."
    ] * 4
    assert (await flow.jobs.page("admin")).items == []
    assert not flow.weather.calls["get"]


@pytest.mark.parametrize(
    "changes", [*({"chunk": name} for name in CHUNKS), *({"user_id": no} for no in NO_IDS)], ids=str
)
async def test_forged_chunks_are_dropped_with_a_warning(flow, changes, caplog):
    text = json.dumps(_chunk(**changes))
    with caplog.at_level(logging.WARNING):
        await flow.intake.handle_chunk(text, flow.deadline())
        await flow.intake.handle_poisoned_chunk(text)
    assert len(caplog.records) == 2
    assert not flow.weather.calls["get"]


@pytest.mark.parametrize(
    "chunk", ["000001", "1000000", "000007.0002", "000007.10000", "000007a", "000007.0002ab.0003b"]
)
def test_the_apps_own_messages_are_read(chunk):
    found = read_chunk_message(json.loads(encode(ChunkMessage("admin", "a-_B9", chunk, "t", "c"))))
    assert found == ChunkMessage("admin", "a-_B9", chunk, "t", "c")
    message = JobMessage("admin", "a", "t", "c", 12, part="0123456789ab/1499")
    assert read_job_message(json.loads(encode(message))) == message
    with pytest.raises(ForgedMessage):
        read_chunk_message(json.loads(encode(message)))


async def test_ids_of_nobody_are_nothing_to_do(flow):
    for text in (json.dumps(_job(user_id="nobody")), json.dumps(_job(job_id="none"))):
        await flow.intake.handle_job("m1", text, flow.deadline())
        await flow.intake.handle_archive("m1", text, flow.deadline())
        await flow.intake.handle_poisoned_job("m1", text)
    await flow.intake.handle_chunk(json.dumps(_chunk(job_id="none")), flow.deadline())
    assert (await flow.jobs.page("admin")).items == []


async def test_a_producers_spec_that_names_a_user_is_refused_and_not_dropped(flow):
    await flow.intake.handle_job("m1", '{"user_id": "me", "v": 1, "keywords": ["cat"]}', flow.deadline())
    await flow.intake.handle_archive("m2", '{"user_id": "me", "images": ["inputs/1.jpg"]}', flow.deadline())
    told = [job.failure.detail for job in (await flow.jobs.page("admin")).items]
    assert len(told) == 2
    assert all("user_id: must not be given" in detail for detail in told)


FLAWED = [
    (r'{"job_id": "mine-1", "name": "\ud83d", "keywords": ["cat"]}', f"name: {HALF}"),
    (r'{"job_id": "mine-1", "labels": {"\udfff": ["cat"]}}', f"labels.\ufffd: its name {HALF}"),
    ('{"job_id": "mine-1", "keywords": ["cat"], "seed": 1, "seed": 2}', "seed: is given twice"),
    ('{"job_id": "mine-1", "filters": {"scores": {"entropy": {"min": NaN}}}}', f"{SCORE}: must be a number, not NaN"),
    ('{"job_id": "mine-1", "seed": ' + "9" * 5000 + "}", "seed: has too many digits"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), FLAWED)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("queue", [JOBS_QUEUE, ARCHIVES_QUEUE])
async def test_a_lone_surrogate_on_a_queue_is_a_failed_job_with_the_reason(flow, text, reason, packed, queue):
    message = base64.b64encode(text.encode()).decode() if packed else text
    for _ in range(2):
        await flow.handle(queue, message)
    [job] = (await flow.jobs.page("admin")).items
    assert isinstance(job.failure, Failure)
    assert reason in job.failure.detail
    assert job.requested_id == "mine-1"  # what it asks for could be read


@pytest.mark.parametrize("queue", [JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE])
async def test_a_flawed_message_that_became_poison_has_its_reason_too(flow, queue):
    text = FLAWED[0][0]
    poisoned = {
        JOBS_QUEUE: lambda: flow.intake.handle_poisoned_job("m1", text),
        CHUNKS_QUEUE: lambda: flow.intake.handle_poisoned_chunk(text),
        ARCHIVES_QUEUE: lambda: flow.intake.handle_poisoned_archive("m1", text),
    }
    await poisoned[queue]()
    told = [job.failure.detail for job in (await flow.jobs.page("admin")).items]
    assert [HALF in detail for detail in told] == ([] if queue == CHUNKS_QUEUE else [True])
