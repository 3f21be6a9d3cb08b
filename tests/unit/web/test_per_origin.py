"""Answers for each origin, and the memory that they may take."""

from yarl import URL

from shared.web.per_origin import PerOrigin


async def test_the_oldest_answers_make_room_where_they_take_too_much_memory():
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


async def test_small_answers_stay():
    asked = []

    async def fetch(origin):
        asked.append(origin)
        return origin

    answers = PerOrigin(fetch, len)
    for _ in range(2):
        for number in range(200):
            await answers.get(URL(f"http://h{number}/"))
    assert len(asked) == 200
