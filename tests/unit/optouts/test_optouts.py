"""Opt-outs: what they name, what they match, and that all processes learn of them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.errors import InvalidRequest, NotFound
from shared.optouts.matcher import OptOutMatcher
from shared.optouts.optout import OptOut, OptOutKind, id_of, normal_value
from shared.optouts.optout_list import OptOutList, new_optout
from shared.storage.memory.entities import MemoryEntities
from tests.unit.in_memory import runtime_of
from tests.unit.manual_clock import ManualClock

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHA = "ab" * 32
LOOK = f"{0b1111:016x}"


def optout(kind, value, distance=4):
    return new_optout(kind, normal_value(kind, value), distance, (NOW, "admin"))


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (OptOutKind.URL, "HTTPS://Example.org:443/a/../b%7e?x=1#y", "https://example.org/b~?x=1"),
        (OptOutKind.HOST, " Example.ORG. ", "example.org"),
        (OptOutKind.HOST, "bücher.example", "xn--bcher-kva.example"),
        (OptOutKind.SHA256, f" {SHA.upper()}", SHA),
        (OptOutKind.PERCEPTUAL_HASH, "F" * 16, "f" * 16),
    ],
)
def test_values_are_brought_into_the_form_in_which_they_are_compared(kind, given, expected):
    assert normal_value(kind, given) == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (OptOutKind.URL, "ftp://example.org/"),
        (OptOutKind.URL, ""),
        (OptOutKind.HOST, ""),
        (OptOutKind.HOST, "."),
        (OptOutKind.HOST, "a/b"),
        (OptOutKind.HOST, "u@a"),
        (OptOutKind.HOST, "example.org/"),
        (OptOutKind.SHA256, "ab" * 31),
        (OptOutKind.SHA256, "xy" * 32),
        (OptOutKind.PERCEPTUAL_HASH, SHA),
    ],
)
def test_other_values_are_refused(kind, value):
    with pytest.raises(InvalidRequest):
        normal_value(kind, value)


@pytest.mark.parametrize(
    ("given", "refused", "allowed"),
    [
        (
            (OptOutKind.URL, "https://x.org/a.jpg"),
            ("https://X.org:443/a.jpg#top",),
            ("https://x.org/a.jpg?b",),
        ),
        (
            (OptOutKind.HOST, "x.org"),
            ("http://x.org./b", "https://cdn.X.org:8080/c"),
            ("https://notx.org/", "blob:x.org"),
        ),
    ],
)
def test_addresses_match_in_all_spellings(given, refused, allowed):
    matcher = OptOutMatcher.of([optout(*given)])
    assert matcher
    for address in refused:
        assert matcher.refuses_address(None, "https://else.org/", address)
    for address in (*allowed, "nonsense", ""):
        assert not matcher.refuses_address(address)


def test_bytes_and_looks_match():
    matcher = OptOutMatcher.of([optout(OptOutKind.SHA256, SHA), optout(OptOutKind.PERCEPTUAL_HASH, LOOK, 2)])
    assert matcher.refuses_bytes(SHA)
    assert not matcher.refuses_bytes("")
    assert matcher.refuses_look(LOOK)
    assert matcher.refuses_look(f"{0b1100:016x}")
    assert not matcher.refuses_look(f"{0b1000:016x}")
    assert not matcher.refuses_look("")
    assert matcher.refuses((), "", LOOK)
    assert not matcher.refuses(("https://x.org/",), "", "")


def test_a_list_without_opt_outs_refuses_nothing():
    assert not OptOutMatcher.of([])
    assert not OptOutMatcher.of([]).refuses(("https://x.org/",), SHA, LOOK)


@pytest.fixture
def lists():
    """Two processes of one app, and their clock."""
    entities, runtime = MemoryEntities(), runtime_of()
    clock = ManualClock()
    return [OptOutList(entities, clock, runtime.ids) for _ in range(2)], clock


async def test_another_process_learns_of_a_change_within_half_a_minute(lists):
    (one, other), clock = lists
    assert not await other.current()
    added = await one.add(optout(OptOutKind.HOST, "x.org"))
    assert (await one.current()).hosts == {"x.org"}
    clock.advance(31)
    assert (await other.current()).hosts == {"x.org"}
    await one.remove(added.id)
    assert not await other.fresh()


async def test_the_same_opt_out_is_stored_once(lists):
    (one, other), _ = lists
    first = await one.add(optout(OptOutKind.SHA256, SHA))
    again = await other.add(replace(optout(OptOutKind.SHA256, SHA), created_by="somebody"))
    assert again == first
    assert [found.id for found in (await one.page("", 10)).items] == [id_of(OptOutKind.SHA256, SHA)]


async def test_opt_outs_are_listed_in_pages_and_removed_once(lists):
    (one, _), _ = lists
    made = [await one.add(optout(OptOutKind.HOST, f"h{number}.org")) for number in range(3)]
    first = await one.page("", 2)
    assert first.more_after is not None
    rest = await one.page(first.more_after, 2)
    found: list[OptOut] = [*first.items, *rest.items]
    assert sorted(item.value for item in found) == ["h0.org", "h1.org", "h2.org"]
    await one.remove(made[0].id)
    for missing in (one.remove, one.require):
        with pytest.raises(NotFound):
            await missing(made[0].id)
