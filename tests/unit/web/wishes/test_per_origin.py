"""Results are kept for each origin, within limits of time and memory."""

import pytest
from yarl import URL

from shared.web.wishes.per_origin import PerOrigin


async def test_the_oldest_results_are_dropped_if_all_take_too_much_memory():
    asked = []

    async def fetch(origin):
        asked.append(origin)
        return 50_000_000

    answers = PerOrigin(fetch, lambda size: size)
    for host in ("a", "b", "a", "c", "a", "c"):  # three are too large; b was asked for longest ago
        assert await answers.get(URL(f"http://{host}/x")) == 50_000_000
    assert asked == ["http://a", "http://b", "http://c"]
    await answers.get(URL("http://b/y"))
    assert asked[3:] == ["http://b"]


async def test_small_results_are_kept():
    asked = []

    async def fetch(origin):
        asked.append(origin)
        return origin

    answers = PerOrigin(fetch, len)
    for _ in range(2):
        for number in range(200):
            await answers.get(URL(f"http://h{number}/"))
    assert len(asked) == 200


async def test_a_transient_result_is_fetched_again_after_a_minute():
    asked = []

    async def fetch(origin):
        asked.append(origin)
        return origin

    answers = PerOrigin(fetch, len, transient=lambda origin: origin == "http://bad")
    for seconds_later in (0, 0, 59, 2, 3500, 61):
        for entry in answers._entries.values():
            entry.until -= seconds_later
        for name in ("good", "bad"):
            await answers.get(URL(f"http://{name}/"))
    assert asked == ["http://good", "http://bad", "http://bad", "http://bad", "http://good", "http://bad"]


async def test_an_error_is_not_kept():
    """If it were kept, the next callers would get the error for an hour."""
    asked = []

    async def fetch(origin):
        asked.append(origin)
        if len(asked) < 2:
            raise OSError("broken")
        return origin

    answers = PerOrigin(fetch, len)
    with pytest.raises(OSError, match="broken"):
        await answers.get(URL("http://a/"))
    assert await answers.get(URL("http://a/")) == "http://a"
    assert answers._size_bytes == len("http://a")
