"""Licences that responses and pages name are fetched once, and a site may name a few of them."""

import pytest
from aiohttp import web
from yarl import URL

from shared.records.consent import Answer, Answers, Signal
from shared.records.records import Reason, Rejected
from shared.web.wishes.host_wishes import HostWishes
from shared.web.wishes.linked_licences import MOST_OF_A_SITE
from tests.unit.loopback import asking, serving

FREE = (
    '<rsl xmlns="https://rslstandard.org/rsl"><content url="{}"><license><payment type="free"/></license></content>'
    "</rsl>"
)
DAMAGED = '<rsl xmlns="https://rslstandard.org/rsl"><content'


class Host:
    def __init__(self):
        self.asked = []
        self.text = FREE.format("/")

    async def serve(self, request):
        self.asked.append(request.path)
        if request.path == "/gone":
            return web.Response(status=404)
        return web.Response(text=self.text)


@pytest.fixture
async def host():
    state = Host()
    async with serving(state.serve) as base, asking() as client:
        yield state, URL(base), HostWishes.over(client).linked_licences


async def test_a_licence_is_fetched_once_for_all_that_name_it(host):
    state, base, licences = host
    for number in range(3):
        answers = Answers()
        assert (
            await licences.refusal(base / f"{number}.jpg", ["/l", f"{base}/l#x", "http://["], answers) is None
        )
        assert answers.found == {Signal.RSL: Answer.ALLOWED}
    assert state.asked == ["/l"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (FREE.format("/pictures/"), Answer.ABSENT),
        (FREE.format("https://other.example/"), Answer.ABSENT),
        ("<html>All rights reserved</html>", Answer.ABSENT),
        (DAMAGED, Answer.REFUSED),
        (FREE.format("/").replace("free", "purchase"), Answer.REFUSED),
    ],
)
async def test_a_licence_counts_for_the_address_that_names_it(text, answer, host):
    state, base, licences = host
    state.text, answers = text, Answers()
    found = await licences.refusal(base / "a.jpg", ["l"], answers)
    assert answers.found == {Signal.RSL: answer}
    assert (found is not None) is (answer is Answer.REFUSED)


async def test_the_strictest_of_several_licences_counts_and_a_missing_one_says_nothing(host):
    state, base, licences = host
    state.text = FREE.format("/").replace("free", "purchase")
    assert await licences.refusal(base / "a.jpg", ["/gone"], Answers()) is None
    assert await licences.refusal(base / "a.jpg", ["/gone", "/l"], Answers()) is not None


async def test_a_site_may_name_a_few_licences_only(host):
    state, base, licences = host
    for number in range(MOST_OF_A_SITE):
        assert await licences.refusal(base / "a.jpg", [f"/{number}"], Answers()) is None
    answers = Answers()
    found = await licences.refusal(base / "a.jpg", ["/another"], answers)
    assert found == Rejected(Reason.OPTED_OUT, "rsl: the site names too many licences to read")
    assert answers.found == {Signal.RSL: Answer.REFUSED}
    assert await licences.refusal(base / "a.jpg", ["/0"], Answers()) is None
    assert len(state.asked) == MOST_OF_A_SITE
    # another site has a number of its own
    assert await licences.refusal(URL("http://other.example/a.jpg"), [f"{base}/another"], Answers()) is None
