"""How often the page calls the app: bounded while somebody looks, and never while nobody does."""

import pytest

from playground.client import ApiClient
from playground.gallery import default_photos, start_gallery

# a user of the tier free may make 60 calls a minute, and runs two jobs at once
_MOST_CALLS = 55
# twelve at first, and twelve each ten seconds
_MOST_PICTURES = 84


@pytest.fixture
async def slow_gallery():
    runner, gallery = await start_gallery(default_photos(), delay_seconds=1)
    yield gallery
    await runner.cleanup()


async def test_calls_a_minute_are_bounded_and_a_page_that_nobody_sees_makes_none(
    stack, session, make_key, use, slow_gallery
):
    # the minutes of the scenario take seconds, so the limit of the tier free would be reached
    key = await make_key(tier="pro")
    api = ApiClient(session, stack.url, key)
    jobs = []
    for name in ("one", "two"):
        urls = [f"{slow_gallery}/photos/{name}/{number}.jpg" for number in range(1000)]
        items = [{"url": url, "label": "cat"} for url in urls]
        spec = {"name": name, "sources": [{"type": "urls", "items": items}]}
        jobs.append(await api.submit(spec))
    # its page then has pictures to show
    async for job in api.follow(jobs[0]["id"]):
        if job["progress"]["kept"] > 0:
            break
    given = {"key": key, "adminKey": stack.api_key, "jobs": jobs}
    facts = (await use("pace", given)).facts
    for job in jobs:
        cancel = f"{stack.url}{job['links']['cancel']}"
        async with session.post(cancel, headers={"X-API-Key": key}) as answer:
            assert answer.status == 200
    assert 10 < facts["jobs"] < _MOST_CALLS
    assert 10 < facts["job"] < _MOST_CALLS
    assert 0 < facts["pictures"] <= _MOST_PICTURES
    assert 0 < facts["health"] <= 2
    assert (facts["hidden"], facts["hiddenHealth"]) == (0, 0)
    assert facts["states"][0] in {"Looking for images", "Fetching and judging"}
