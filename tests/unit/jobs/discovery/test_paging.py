"""The order of paging: labels fill from all of their sources, variations come last, and waits are respected."""

from collections import Counter
from typing import Any, ClassVar

import pytest

from shared.clock import Deadline
from shared.errors import RateLimited
from shared.jobs.discovery.streams import Turns
from shared.jobs.job.messages import JOBS_QUEUE
from shared.jobs.ledger.discovery import DiscoveryStates
from shared.sources.source import SourceKind
from shared.web.wishes.respect import Respect
from tests.unit.jobs.discovery.searching import SearchConfig, by, discover

pytestmark = pytest.mark.usefixtures("search")


@pytest.mark.parametrize("page", [7, 20, 500])
async def test_a_label_fills_from_all_of_its_sources_however_large_their_pages(flow, page):
    sources = [{"type": "search", "name": "one", "page": page}, {"type": "search", "name": "two", "page": 20}]
    urls, _ = await discover(
        flow, {"labels": {"cat": ["cat", "kitten"]}, "sources": sources, "max_images_per_label": 100}
    )
    assert len(urls) == 220
    for first in (4, 100, 220):  # the limit keeps what was found first
        assert by(urls[:first], 2) == {"one": first / 2, "two": first / 2}
        assert by(urls[:first], 3) == {"cat": first / 2, "kitten": first / 2}


async def test_no_page_is_requested_again_if_time_ends_before_all_streams_had_their_turn(flow, search):
    flow.deadline = lambda: Deadline.after(flow.clock, 25.0)
    labels = [f"label {number}" for number in range(60)]
    sources = [{"type": "search", "page": 20, "cost": 1.0}]
    urls, delays = await discover(flow, {"keywords": labels, "sources": sources, "max_images_per_label": 20})
    assert set(Counter(url.split("/")[3] for url in urls).values()) == {60}
    assert len(search.asked) == len(set(search.asked)) == 60 * 3
    assert len(delays) == 60 * 3 // 25


async def test_a_source_that_runs_dry_leaves_its_share_to_others(flow):
    sources = [{"type": "search", "name": "one", "total": 30}, {"type": "search", "name": "two"}]
    urls, _ = await discover(flow, {"keywords": ["cat"], "sources": sources, "max_images_per_label": 100})
    assert by(urls, 2) == {"one": 30, "two": 190}


async def test_a_source_that_asks_to_wait_for_ever_is_given_up_and_others_go_on(flow):
    sources = [{"type": "search", "name": "one", "wait": 1e9}, {"type": "search", "name": "two", "total": 50}]
    urls, delays = await discover(flow, {"keywords": ["cat"], "sources": sources})
    assert by(urls, 2) == {"one": 10, "two": 50}
    assert sum(delays) <= 6 * 3600
    [job] = [job async for job in flow.jobs.works()]
    report = await flow.ledger.report(job.job_id)
    assert "cat: wait It has done so for hours." in report.problems
    assert report.can_continue  # a retry asks it again


async def test_slices_end_within_a_page_and_lose_nothing(flow):
    spec = {"keywords": ["cat"], "sources": [{"type": "search", "page": 100}], "max_images_per_label": 200}
    whole, _ = await discover(flow, spec)
    flow.clock.tick = 150.0
    cut, delays = await discover(flow, spec)
    assert cut == whole
    assert len(cut) == 420
    assert len(delays) > 2


async def test_held_pages_are_bounded(flow, monkeypatch):
    monkeypatch.setattr("shared.jobs.discovery.paging._MAX_HELD", 900)
    held, put_back = [], Turns.put_back

    def noting(turns, stream, wait):
        put_back(turns, stream, wait)
        held.append(turns.held_candidates)

    monkeypatch.setattr(Turns, "put_back", noting)
    keywords = [f"k{number}" for number in range(10)]
    spec = {
        "labels": {"cat": keywords},
        "sources": [{"type": "search", "page": 500}],
        "max_images_per_label": 2000,
    }
    urls, _ = await discover(flow, spec)
    assert len(urls) == 4020
    assert len(set(urls)) == 4020
    assert 900 < max(held) <= 900 + 500  # a page beyond it, at most


@pytest.fixture
def slept(flow):
    """The waits in seconds that discovery sleeps. The clock advances by them."""
    naps = []

    async def sleep(seconds):
        naps.append(seconds)
        await flow.clock.sleep(seconds)

    flow.discover._sleep = sleep
    return naps


@pytest.mark.parametrize(
    ("wait", "naps", "continuations"),
    [(1, [1] * 4, []), (5, [5] * 3, [5]), (4, [4] * 3, [4]), (5.1, [], [5.1] * 4), (60, [], [60] * 4)],
)
async def test_waits_of_five_seconds_are_slept_ten_seconds_a_slice_and_others_are_queued(
    flow, slept, wait, naps, continuations
):
    spec = {"keywords": ["cat"], "sources": [{"type": "search", "total": 50, "wait": wait}]}
    urls, delays = await discover(flow, spec)
    assert len(urls) == 50
    assert slept == pytest.approx(naps)
    assert delays == pytest.approx(continuations)
    assert flow.clock.seconds == pytest.approx(4 * wait)


async def test_a_slice_that_waits_for_a_slow_host_ends_after_ten_seconds_of_naps(flow, slept):
    spec = {"keywords": ["cat"], "sources": [{"type": "search", "total": 500, "page": 5, "wait": 1}]}
    urls, delays = await discover(flow, spec)
    assert len(set(urls)) == len(urls) == 500
    assert set(slept) == set(delays) == {1}
    assert (len(slept), len(delays)) == (90, 9)


async def test_a_pause_without_new_addresses_writes_no_addresses(flow):
    flow.source.errors = [RateLimited("wait", 60)] * 3
    source = {"type": "fake", "total": 40}
    found = {"type": "search", "total": 10}
    job = await flow.send({"keywords": ["cat"], "sources": [source, found], "dedup": {"near_distance": None}})
    written = []
    while flow.source.errors:
        [text] = flow.queues.take(JOBS_QUEUE)
        await flow.handle(JOBS_QUEUE, text)
        written.append([info.name async for info in flow.blobs.list(f"work/job_{job.id}/seen/")])
        flow.clock.advance(60)
    assert [len(names) for names in written] == [1] * 3
    assert written[0] == written[2]
    await flow.run()
    assert len(await flow.delivered(job)) == 50


async def test_others_go_on_while_one_waits(flow, search):
    sources = [
        {"type": "search", "name": "slow", "total": 30, "wait": 20},
        {"type": "search", "name": "fast", "total": 30},
    ]
    await discover(flow, {"keywords": ["cat"], "sources": sources})
    assert [name for name, _, _ in search.asked] == ["slow", "fast", "fast", "fast", "slow", "slow"]


@pytest.mark.parametrize("tick", [0.0, 1.5])
async def test_no_wait_is_slept_beyond_the_slice(flow, tick):
    deadlines, slept = [], []

    def deadline():
        deadlines.append(Deadline.after(flow.clock, 6))
        return deadlines[-1]

    async def sleep(seconds):
        flow.clock.tick = 0.0
        assert seconds <= deadlines[-1].remaining_seconds
        flow.clock.tick = tick
        slept.append(seconds)
        await flow.clock.sleep(seconds)

    flow.deadline, flow.discover._sleep, flow.clock.tick = deadline, sleep, tick
    spec = {"keywords": ["cat"], "sources": [{"type": "search", "total": 50, "wait": 4}]}
    urls, delays = await discover(flow, spec)
    assert len(urls) == 50
    assert delays
    assert all(delay <= 4 for delay in delays)
    assert tick or set(slept) == {4}


async def test_problems_of_a_page_are_noted_once(flow):
    job = await flow.send({"keywords": ["cat"], "sources": [{"type": "search", "total": 60, "page": 30}]})
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    report = await flow.ledger.report(job.id)
    assert (report.problem_count, report.problems) == (2, ("one 0", "one 30"))


@pytest.mark.parametrize("searched", [True, False])
async def test_keywords_that_no_source_searches_for_are_a_problem(flow, searched):
    sources: list[dict[str, Any]] = [{"type": "urls", "items": [{"url": "http://one/1", "label": "dog"}]}]
    sources += [{"type": "search", "total": 0}] * searched
    job = await flow.send({"keywords": ["cat"], "sources": sources})
    await flow.handle(JOBS_QUEUE, flow.queues.take(JOBS_QUEUE)[0])
    told = () if searched else ("none of the sources searches: keywords are not used",)
    report = await flow.ledger.report(job.id)
    assert (report.problem_count, report.problems) == (len(told), told)


class FreeConfig(SearchConfig):
    """A search whose results have only the licence `cc0`."""

    gives: ClassVar[tuple[str, ...]] = ("cc0",)

    type: str = "free"


@pytest.fixture
def free(flow, search):
    flow.kinds["free"] = SourceKind(FreeConfig, search)


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize("licenses", [["by"], ["by", "cc0"], None])
async def test_a_source_without_any_of_the_wanted_licences_is_not_asked_and_is_one_problem(flow, licenses):
    flow.clock.tick = 150.0
    sources = [{"type": "free", "name": "free", "total": 60}, {"type": "search", "total": 60}]
    spec = {"keywords": ["cat"], "sources": sources, "filters": {"licenses": licenses}}
    urls, delays = await discover(flow, spec)
    assert len(delays) > 2
    assert by(urls, 2) == {"one": 60} | ({"free": 60} if licenses != ["by"] else {})
    [job] = [job async for job in flow.jobs.works()]
    state, _ = await DiscoveryStates(flow.ledger, flow.blobs).read(job.job_id)
    told = "free: not asked, as it gives nothing under the licences of filters.licenses"
    report = await flow.ledger.report(job.job_id)
    assert [problem for problem in report.problems if "asked" in problem] == [told] * (licenses == ["by"])
    assert report.problem_count == 6 + (1 if licenses == ["by"] else 6)  # and one of each page
    assert "1:cat/cat" in state.streams


@pytest.mark.usefixtures("free")
async def test_a_job_fails_with_that_reason_if_no_source_has_a_wanted_licence(flow):
    spec = {"keywords": ["cat"], "sources": [{"type": "free"}], "filters": {"licenses": ["by"]}}
    job = await flow.send(spec)
    await flow.run()
    failure = (await flow.job(job)).failure
    assert (failure.code, failure.detail) == (
        "discovery_failed",
        "No source gave a candidate: free: not asked, as it gives nothing under the licences of filters.licenses",
    )


@pytest.mark.parametrize("place", [0, 1])
async def test_a_list_that_cannot_be_read_is_named_by_its_place_in_the_spec(flow, place):
    sources = [{"type": "urls", "items": [{"url": "http://a/1.jpg"}]}]
    sources.insert(place, {"type": "urls", "blob": "inputs/gone.csv"})
    job = await flow.send({"sources": sources})
    await flow.run()
    report = await flow.ledger.report(job.id)
    assert report.problems == (f"sources.{place} (urls): There is no blob inputs/gone.csv.",)


async def test_sources_get_the_wishes_that_the_job_respects(flow, search):
    respect = {"robots": False, "rsl": False}
    await discover(
        flow, {"keywords": ["cat"], "sources": [{"type": "search", "total": 1}], "respect": respect}
    )
    assert [context.respect for context in search.contexts] == [Respect(robots=False, rsl=False)]


@pytest.mark.parametrize("listed", ["dog", "cat"])
async def test_where_no_limit_is_set_500_of_a_search_stay_and_all_of_a_label_in_a_list(flow, listed):
    items = [{"url": f"http://list/{number}.jpg", "label": listed} for number in range(700)]
    sources = [{"type": "search", "total": 3000, "page": 100}, {"type": "urls", "items": items}]
    job = await flow.send({"keywords": ["cat"], "sources": sources, "dedup": {"near_distance": None}})
    await flow.run()
    counts = (await flow.catalog.require("admin", job.id)).counts
    assert counts[listed]["kept"] >= 630  # of 700, as the worker keeps nine in ten
    assert "over_limit" not in counts[listed]
    if listed == "dog":
        assert counts["cat"]["kept"] == 500
        assert counts["cat"]["over_limit"] > 100
