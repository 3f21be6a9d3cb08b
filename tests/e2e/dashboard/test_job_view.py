"""The view of a job: its pictures as they come, examples of refusals, timeline and log, with hostile texts."""

import socket
from typing import Any

import aiohttp
import pytest

from playground.stack import Stack
from tests.e2e.dashboard.driver import NARROW

_HOSTILE = "<img src=x onerror=alert(1)>"
_LABEL = "<b onclick=alert(2)>cat</b>"


@pytest.fixture
def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
    return port


async def _submit(session: aiohttp.ClientSession, stack: Stack, key: str, items: list[dict[str, Any]]) -> str:
    spec = {"name": _HOSTILE, "sources": [{"type": "urls", "items": items}]}
    async with session.post(f"{stack.url}/api/v1/jobs", json=spec, headers={"X-API-Key": key}) as answer:
        made = await answer.json()
        assert answer.status == 201, made
        job_id: str = made["id"]
    return job_id


async def test_a_person_sees_why_images_were_refused_and_what_a_job_did_when(
    stack, make_key, use, session, gallery_with_gate, closed_port
):
    key = await make_key()
    photos = [{"url": f"{gallery_with_gate}/photos/cat/{number}.jpg", "label": "cat"} for number in range(28)]
    live = await _submit(session, stack, key, photos)
    hostile = [
        {"url": f"{gallery_with_gate}/gone/{_HOSTILE}.jpg", "label": _LABEL},
        {"url": "http://169.254.169.254/latest", "label": _LABEL},
        {"url": f"http://127.0.0.1:{closed_port}/{'long' * 100}.jpg", "label": _LABEL},
    ]
    failed = await _submit(session, stack, key, hostile)
    given = {"key": key, "gallery": gallery_with_gate, "live": live, "failed": failed, "name": _HOSTILE}
    facts = (await use("job_view", given, NARROW)).facts
    assert set(facts["pictures"]) == {"blob:"}
    assert facts["spoken"] == f"{_HOSTILE}: Ready"
    assert facts["focusAfterOpening"] == "Not an image: Examples"
    names = ["Waiting to start", "Looking for images", "Fetching and judging", "Writing the dataset"]
    assert [text for text in facts["steps"] if text in names] == names
    assert len(facts["bars"]) == len(names)
    assert facts["columns"].startswith("28 images judged")
    assert "LOG_ANALYTICS_WORKSPACE_ID" in facts["log"]
    assert "error · error <img src=x onerror=alert(3)>" in facts["lines"][0]
    assert "run crawl_chunk 12 ms" in facts["lines"][1]
    _check_examples(facts)
    assert facts["tries"] == ["Try 1"]


def _check_examples(facts: dict[str, Any]) -> None:
    """Addresses of strangers are text and links that tell nobody where they were followed. No picture is fetched."""
    assert len(facts["examples"]) == 3
    assert all(_LABEL in text for text in facts["examples"])
    assert {rel for _, rel in facts["links"]} == {"noopener noreferrer nofollow"}
    assert "http://169.254.169.254/latest" in [href for href, _ in facts["links"]]
    assert facts["strangers"] == 0
