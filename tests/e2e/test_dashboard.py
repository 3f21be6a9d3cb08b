"""The dashboard in a real browser: by keyboard, 320 pixels wide, with hostile texts, under its security policy."""

import asyncio
import itertools
import json
import re
from pathlib import Path
from typing import Any

import aiohttp

from playground.gallery import default_photos, start_gallery
from playground.stack import Stack

_SCRIPT = Path(__file__).parent / "browser" / "dashboard.mjs"
_HOSTILE = "<img src=x onerror=alert(1)>"
_LABEL = "<b onclick=alert(2)>cat</b>"
# a busy machine notices answers late
_LATE_SECONDS = 0.8


async def test_a_person_makes_watches_and_deletes_a_dataset_by_keyboard(make_stack, session):
    runner, gallery = await start_gallery(default_photos(), delay_seconds=1.5)
    try:
        stack = await asyncio.to_thread(make_stack, CHUNK_SIZE="4", ADDRESS_REQUESTS_PER_MINUTE="1000")
        key = await _key_of_a_user(session, stack)
        urls = [f"{gallery}/photos/cat/{number}.jpg" for number in range(30)]
        seen = await _use({"url": stack.url, "key": key, "urls": urls, "name": _HOSTILE, "label": _LABEL})
    finally:
        await runner.cleanup()
    facts = seen["facts"]
    assert seen["findings"] == []
    assert (seen["errors"], seen["violations"], seen["foreign"]) == ([], [], [])
    assert facts["firstPaintSeconds"] < 10
    assert facts["address"] == f"{stack.url}/#/jobs"
    assert facts["stored"] == [[], ["pixcrawler.key"], ""]
    assert not any(key in call["path"] for call in seen["calls"])
    assert facts["nameInJson"] == _HOSTILE
    assert facts["addressesInForm"] == len(urls)
    assert (facts["afterTheForm"]["max_images_per_label"], facts["afterTheForm"]["seed"]) == (12, 7)
    assert facts["afterTheForm"]["sources"][0]["items"][0]["label"] == _LABEL
    assert {"Too small", "Cut off", "Not an image"} <= set(facts["reasons"])
    assert (facts["labelsShown"], facts["picturesOfStrangers"]) == ([_HOSTILE, _LABEL], 0)
    assert (facts["images"], facts["deletedByEscape"]) == ("12", False)
    assert set(facts["pictures"]) == {"blob:"}
    assert any(call["status"] == 429 for call in seen["calls"])
    assert facts["newKey"].startswith("pxc_")
    assert facts["link"].startswith("http://127.0.0.1")
    _check_calls_about_the_job(seen["calls"], facts)


def _check_calls_about_the_job(calls: list[dict[str, Any]], facts: dict[str, Any]) -> None:
    """The page reads a job when `Retry-After` says so, asks only for changes, and asks nothing while it is hidden."""
    assert facts["callsWhileHidden"] == 0
    submitted = next(at for at, call in enumerate(calls) if (call["method"], call["status"]) == ("POST", 201))
    reads = [call for call in calls[submitted:] if re.fullmatch(r"/api/v1/jobs/\w+", call["path"])]
    assert len(reads) >= 3
    assert all(read["conditional"] for read in reads[1:])
    for earlier, later in itertools.pairwise(reads):
        assert later["at"] - earlier["at"] > earlier["retryAfter"] - _LATE_SECONDS


async def _key_of_a_user(session: aiohttp.ClientSession, stack: Stack) -> str:
    headers = {"X-API-Key": stack.api_key}
    async with session.post(
        f"{stack.url}/api/v1/users", json={"name": "Ann", "tier": "pro"}, headers=headers
    ) as answer:
        user = await answer.json()
    body = {"name": "browser", "scopes": ["read", "submit"]}
    path = f"{stack.url}/api/v1/users/{user['id']}/keys"
    async with session.post(path, json=body, headers=headers) as answer:
        key: str = (await answer.json())["key"]
    return key


async def _use(given: dict[str, Any]) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(_SCRIPT),
        json.dumps(given),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), 100)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, errors.decode()[-3000:]
    seen: dict[str, Any] = json.loads(out)
    return seen
