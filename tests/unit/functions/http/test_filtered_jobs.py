"""Jobs are listed by state, name and time, in bounded reads, and pages lose none."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote

import pytest

from shared.jobs.job.job import Job
from shared.jobs.job.states import State

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STATES = [State.FAILED, State.COMPLETED, State.CANCELLED]


def _job(number, name=None):
    moment = NOON + timedelta(minutes=number)
    return Job(f"job-{number:04}", "admin", name or f"Cats {number}", STATES[number % 3], moment, moment)


async def _make(app, number, name=None):
    await app.job_data.jobs.create_ended(_job(number, name))


async def _pages(caller, query):
    while query:
        page = await caller.get("jobs", query)
        assert page.status == 200, page.body
        yield [item["id"] for item in page.body["items"]]
        _, _, query = (page.body["next"] or "").partition("?")


async def _listed(caller, query):
    return [item async for page in _pages(caller, query) for item in page]


async def test_jobs_are_listed_by_each_filter_and_by_all_of_them(app, caller):
    for number in range(9):
        await _make(app, number)
    await _make(app, 9, "Straße & Hunde")
    for query, numbers in [
        ("state=failed", [9, 6, 3, 0]),
        ("state=queued", []),
        ("name=cats", range(8, -1, -1)),
        ("name=CATS%203", [3]),
        ("name=strasse", [9]),
        ("name=%26", [9]),
        ("since=2026-01-01T12:07:00Z", [9, 8, 7]),
        ("since=2026-01-01T12:07:00.000001Z", [9, 8]),
        ("since=2026-01-01T14:07:00%2B02:00", [9, 8, 7]),
        ("since=0001-01-01T00:00:00Z", range(9, -1, -1)),
        ("since=0001-01-01T00:00:00%2B23:59", range(9, -1, -1)),
        ("since=9999-12-31T23:59:59-23:59", []),
        ("since=9999-12-31T23:59:59Z", []),
        ("state=failed&name=cats&since=2026-01-01T12:03:00Z", [6, 3]),
    ]:
        assert await _listed(caller, f"{query}&limit=2") == [f"job-{number:04}" for number in numbers], query


async def test_the_next_page_has_the_same_filters(app, caller):
    for number in range(9):
        await _make(app, number, "a&b=c d+é")
    first = await caller.get("jobs", f"limit=1&state=failed&name={quote('a&b=c d+é')}")
    following = parse_qs(first.body["next"].partition("?")[2])
    assert following.pop("cursor")
    assert following == {"limit": ["1"], "state": ["failed"], "name": ["a&b=c d+é"]}


async def test_a_page_reads_a_bounded_number_of_jobs_and_says_where_to_go_on(app, caller, monkeypatch):
    for number in range(1300):
        await _make(app, number, "the one" if number in {0, 700} else None)
    reads: Counter[str] = Counter()
    get = app.entities.get

    async def counted(table, partition, row):
        reads[table] += 1
        return await get(table, partition, row)

    monkeypatch.setattr(app.entities, "get", counted)
    pages = []
    async for page in _pages(caller, "name=the%20one&limit=5"):
        assert reads.pop("jobs") <= 525
        pages.append(page)
    assert pages[:2] == [[], ["job-0700"]]
    assert [item for page in pages for item in page] == ["job-0700", "job-0000"]


async def test_no_job_older_than_since_is_read(app, caller, monkeypatch):
    for number in range(100):
        await _make(app, number)
    read = []
    get = app.entities.get

    async def noted(table, partition, row):
        read.append(row)
        return await get(table, partition, row)

    monkeypatch.setattr(app.entities, "get", noted)
    assert len(await _listed(caller, "since=2026-01-01T13:37:00Z&limit=100")) == 3
    assert [row for row in read if row.startswith("job-")] == ["job-0099", "job-0098", "job-0097"]


TIME = "must be a time such as 2026-01-01T12:00:00Z"
STATE = "must be queued, discovering, crawling, archiving, completed, failed or cancelled"


@pytest.mark.parametrize(
    ("query", "field", "rule"),
    [
        ("state=", "state", STATE),
        ("state=Failed", "state", STATE),
        ("name=", "name", "must have 1 to 200 characters"),
        (f"name={'x' * 201}", "name", "must have 1 to 200 characters"),
        *((f"since={wrong}", "since", TIME) for wrong in ("", "2026-01-01", "now", "2026-01-01T12:00:00")),
        *((f"since={wrong}", "since", TIME) for wrong in ("2026-13-01T12:00:00Z", "1735732800", "12:00Z")),
        ("since=2026-01-01T14:07:00+02:00", "since", TIME),
        ("since=2026-01-01T12:00:00%2B99:00", "since", TIME),
        ("since=%D9%A2026-01-01T12:00:00Z", "since", TIME),
    ],
)
async def test_a_wrong_filter_is_named(caller, query, field, rule):
    answered = await caller.get("jobs", query)
    assert answered.status == 400
    [(name, message)] = answered.errors
    assert (name, message.partition("; it ")[2]) == (field, rule)
