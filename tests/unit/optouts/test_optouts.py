"""Opt-outs: what they name, what they match, and that all processes learn of them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.errors import Conflict, InvalidRequest, NotFound, Unavailable
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
            ("https://X.org:443/a.jpg#top", "http://x.org/a.jpg", "http://x.org:80/%61.jpg"),
            ("https://x.org/a.jpg?b", "https://x.org:8443/a.jpg", "blob:x.org/a.jpg"),
        ),
        (
            (OptOutKind.URL, "https://x.org/a?id=%7ea%2f"),
            ("https://x.org/a?id=~a%2F", "http://x.org/a?id=%7Ea%2f#b"),
            ("https://x.org/a?id=~a/", "https://x.org/a"),
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


@pytest.mark.parametrize(
    ("host", "refused", "allowed"),
    [
        ("[::1]", "http://[0:0::1]:8080/a.jpg", "http://[::2]/a.jpg"),
        ("bücher.example:8080", "https://WWW.xn--bcher-kva.example./a", "https://xn--bcher-kva.example.org/"),
        ("127.0.0.1", "http://127.0.0.1:80/", "http://127.0.0.11/"),
    ],
)
def test_hosts_match_in_all_forms(host, refused, allowed):
    matcher = OptOutMatcher.of([optout(OptOutKind.HOST, host)])
    assert matcher.refuses_address(refused)
    assert not matcher.refuses_address(allowed)
    assert not matcher.refuses_address("https://else.example/?u=" + refused)


def test_an_image_is_found_by_its_bytes_and_by_a_similar_perceptual_hash():
    matcher = OptOutMatcher.of([optout(OptOutKind.SHA256, SHA), optout(OptOutKind.PERCEPTUAL_HASH, LOOK, 2)])
    assert matcher.refuses_bytes(SHA)
    assert not matcher.refuses_bytes("")
    assert matcher.refuses_perceptual_hash(LOOK)
    assert matcher.refuses_perceptual_hash(f"{0b1100:016x}")
    assert not matcher.refuses_perceptual_hash(f"{0b1000:016x}")
    assert not matcher.refuses_perceptual_hash("")
    assert matcher.refuses((), "", LOOK)
    assert not matcher.refuses(("https://x.org/",), "", "")


def test_a_list_without_opt_outs_refuses_nothing():
    assert not OptOutMatcher.of([])
    assert not OptOutMatcher.of([]).refuses(("https://x.org/",), SHA, LOOK)


class FailsToAnnounce(MemoryEntities):
    """Stores changes of the list, but not that it has changed."""

    def __init__(self, others):
        super().__init__()
        self.__dict__.update(vars(others))

    async def apply(self, table, partition, operations):
        if partition == "~head":
            raise Unavailable("storage does not answer")
        return await super().apply(table, partition, operations)


class CountsQueries(MemoryEntities):
    """Counts how often a list is read."""

    def __init__(self, others):
        super().__init__()
        self.__dict__.update(vars(others))
        self.queries = 0

    def query(self, *args, **kwargs):
        self.queries += 1
        return super().query(*args, **kwargs)


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


async def test_an_opt_out_of_more_pictures_than_the_stored_one_is_a_conflict(lists):
    (one, other), _ = lists
    first = await one.add(optout(OptOutKind.PERCEPTUAL_HASH, LOOK, 2))
    assert await other.add(optout(OptOutKind.PERCEPTUAL_HASH, LOOK, 1)) == first
    with pytest.raises(Conflict, match=f"distance 2; remove {first.id}"):
        await other.add(optout(OptOutKind.PERCEPTUAL_HASH, LOOK, 3))
    await one.remove(first.id)
    assert (await other.add(optout(OptOutKind.PERCEPTUAL_HASH, LOOK, 3))).distance == 3


async def test_a_removal_that_is_repeated_tells_all_processes(lists):
    (one, other), clock = lists
    added = await one.add(optout(OptOutKind.HOST, "x.org"))
    assert await other.current()
    died = replace(one, entities=FailsToAnnounce(one.entities))
    with pytest.raises(Unavailable):
        await died.remove(added.id)
    with pytest.raises(NotFound):
        await one.remove(added.id)
    clock.advance(31)
    assert not await other.current()


async def test_many_opt_outs_are_added_without_reading_all_of_them_each_time(lists):
    (one, _), _ = lists
    counting = CountsQueries(one.entities)
    slow = replace(one, entities=counting)
    for number in range(20):
        await slow.add(optout(OptOutKind.HOST, f"h{number}.org"))
    assert counting.queries == 1
    assert len((await slow.current()).hosts) == 20


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
