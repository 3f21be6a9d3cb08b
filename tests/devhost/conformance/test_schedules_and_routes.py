from datetime import datetime, timedelta

import pytest

from devhost.settings import FunctionError, StartError
from devhost.triggers.ncrontab import parse_schedule
from devhost.web.routes import parse_route

START = datetime.fromisoformat("2026-02-27T23:59:58+00:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * * *", "2026-02-27T23:59:59"),
        ("0 0 2 * * *", "2026-02-28T02:00:00"),
        ("0 */10 * * * *", "2026-02-28T00:00:00"),
        ("0 0 0 1 jan *", "2027-01-01T00:00:00"),
        ("0 0 12 * * 1-5", "2026-03-02T12:00:00"),
        ("0 0 0 13 * fri", "2026-03-13T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("15 10,20 3/6 * * *", "2026-02-28T03:10:15"),
        ("30 4 * * *", "2026-02-28T04:30:00"),
        ("01:30:00", "2026-02-28T01:29:58"),
    ],
)
def test_schedules_fire_next_when_they_should(text, expected):
    """T12: NCRONTAB of six fields, five, or a TimeSpan; day and weekday are ANDed; weekdays are 0 to 6."""
    assert parse_schedule(text).next_after(START) == datetime.fromisoformat(expected + "+00:00")


def test_the_start_itself_is_excluded():
    """T13: the start time is exclusive."""
    midnight = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
    assert parse_schedule("0 0 0 * * *").next_after(midnight) == midnight + timedelta(days=1)


@pytest.mark.parametrize(
    "text", ["", "* * *", "60 * * * * *", "* * * * 13 *", "a * * * * *", "5-1 * * * * *", "00:00:00"]
)
def test_what_is_no_schedule_is_refused(text):
    """T14: what is no schedule is an error of its function."""
    with pytest.raises(FunctionError):
        parse_schedule(text)


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("api/items/{id}", "api/items/7", {"id": "7"}),
        ("api/items/{id}", "API/Items/a%20b", {"id": "a b"}),
        ("api/items/{id:int}", "api/items/x", None),
        ("api/items/{id?}", "api/items", {}),
        ("api/{*rest}", "api/a/b", {"rest": "a/b"}),
        (
            "x/{g:guid}",
            "x/0aff3595-8168-440b-83ff-7a80b65dea42",
            {"g": "0aff3595-8168-440b-83ff-7a80b65dea42"},
        ),
        ("x/{n:maxlength(3)}", "x/abcd", None),
        ("x/{n:range(1,5)}", "x/6", None),
        ("v{n:int}.json", "v12.json", {"n": "12"}),
        ("a/{x}", "a/b%2Fc%20d%252F", {"x": "b%2Fc d%2F"}),
    ],
)
def test_routes_match_as_the_host_matches(template, path, expected):
    """H19: {id:int}, {name:alpha}, {id:guid}, {x:maxlength(n)} and the other constraints, {*rest}, {x?}."""
    assert parse_route(template).match(path) == expected


def test_an_unknown_constraint_is_an_error_at_start():
    """H20: an unknown constraint is a start-up error."""
    with pytest.raises(StartError):
        parse_route("x/{n:prime}")
