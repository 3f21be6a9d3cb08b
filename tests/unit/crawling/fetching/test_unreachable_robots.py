"""A host whose robots.txt is unreachable is not asked, for a transient reason (RFC 9309, 2.3.1.4)."""

import asyncio

import pytest
from aiohttp import web

from shared.crawling.fetching.download import Fetched
from shared.records.consent import Answer, Answers, Signal
from shared.records.records import Reason, Rejected
from shared.web.wishes.respect import Respect
from tests.expect import rejected
from tests.unit.crawling.fetching.asking import PATIENT, ask


def answering(state, answer):
    async def robots_txt(request):
        return await answer(request)

    state.robots_txt = robots_txt


async def failing(_):
    return web.Response(status=503)


async def cut_off(request):
    answer = web.StreamResponse(headers={"Content-Length": "999"})
    await answer.prepare(request)
    await answer.write(b"User-agent: *\nDisallow:\n")
    request.transport.abort()
    return answer


@pytest.mark.parametrize(
    ("answer", "reason"), [(failing, Reason.SERVER_ERROR), (cut_off, Reason.TRANSFER_BROKEN)]
)
async def test_no_image_is_requested_if_robots_txt_is_unreachable(answer, reason, hostile, make_fetcher):
    state, base = hostile
    answering(state, answer)
    fetcher = make_fetcher()
    for _ in range(3):
        found = rejected(await ask(fetcher, f"{base}/ok"))
        assert found.reason is reason
        assert found.reason.transient
        assert found.detail.startswith("robots.txt: ")
    assert state.calls == {"/robots.txt": 2, "/.well-known/tdmrep.json": 1, "/ai.txt": 1}
    others = Respect(robots=False, aipref=False, content_signals=False, rsl=False)
    assert isinstance(await ask(fetcher, f"{base}/ok", others), Fetched)


@pytest.mark.parametrize("signal", [Signal.AIPREF, Signal.CONTENT_SIGNALS, Signal.RSL])
async def test_signals_in_a_robots_txt_that_is_unreachable_forbid_the_image_too(
    signal, hostile, make_fetcher
):
    state, base = hostile
    answering(state, failing)
    answers = Answers()
    respect = Respect.nothing().model_copy(update={signal: True})
    found = rejected(await ask(make_fetcher(), f"{base}/ok", respect, answers=answers))
    assert found == Rejected(Reason.SERVER_ERROR, "robots.txt: HTTP 503")
    assert answers.found == {signal: Answer.UNAVAILABLE}


async def test_a_robots_txt_that_times_out_forbids_the_image(hostile, make_fetcher):
    async def stalling(_):
        await asyncio.sleep(60)

    state, base = hostile
    answering(state, stalling)
    found = rejected(await ask(make_fetcher(idle_seconds=0.2), f"{base}/ok"))
    assert found.reason is Reason.TIMED_OUT
    assert "/ok" not in state.calls


async def test_one_failure_of_robots_txt_loses_no_image(hostile, make_fetcher):
    state, base = hostile
    plain = state.robots_txt

    async def failing_once(request):
        return await (failing if state.calls["/robots.txt"] == 1 else plain)(request)

    answering(state, failing_once)
    fetcher = make_fetcher()
    assert isinstance(await ask(fetcher, f"{base}/ok"), Fetched)
    assert rejected(await ask(fetcher, f"{base}/private/ok")).reason is Reason.ROBOTS_DENIED


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_robots_txt_with_a_client_error_allows_everything(status, hostile, make_fetcher):
    async def refusing(_):
        return web.Response(status=status)

    state, base = hostile
    answering(state, refusing)
    assert isinstance(await ask(make_fetcher(), f"{base}/private/ok"), Fetched)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/x", Reason.CONNECTION_FAILED),
        ("http://nowhere.invalid/x", Reason.DNS_FAILED),
        ("http://127.0.0.1:99999/x", Reason.INVALID_URL),
    ],
)
async def test_an_unreachable_host_is_recorded_as_unreachable(url, reason, make_fetcher):
    assert rejected(await ask(make_fetcher(PATIENT), url)).reason is reason


async def test_a_private_host_is_a_forbidden_address_and_not_an_unreachable_one(hostile, make_fetcher):
    _, base = hostile
    found = rejected(await ask(make_fetcher(allow_private=False), f"{base}/ok"))
    assert found.reason is Reason.FORBIDDEN_ADDRESS


@pytest.mark.parametrize("name", ["_well_known_tdmrep_json", "ai_txt"])
async def test_no_image_is_requested_if_another_file_with_wishes_is_unreachable(name, hostile, make_fetcher):
    state, base = hostile
    setattr(state, name, failing)
    answers = Answers()
    found = rejected(await ask(make_fetcher(), f"{base}/ok", answers=answers))
    assert found.reason is Reason.SERVER_ERROR
    assert found.detail in {"tdmrep.json: HTTP 503", "ai.txt: HTTP 503"}
    assert list(answers.found.values())[-1] is Answer.UNAVAILABLE
    assert "/ok" not in state.calls
