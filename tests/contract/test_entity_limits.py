"""The limits of rows: every EntityStore refuses the changes that Azure would refuse, and makes none of them."""

from datetime import UTC, datetime

import pytest

from shared.errors import Permanent
from shared.storage.entities import Change, Delete, Entity, Insert, Put

_CELL = 64 << 10


@pytest.mark.parametrize(
    "values",
    [{"cell": b"x" * _CELL}, {"cell": "x" * (_CELL // 2)}, {f"c{at}": "ü" * 30_000 for at in range(17)}],
    ids=["bytes", "text", "row"],
)
async def test_the_largest_allowed_values_are_stored(entities, unique, values):
    await entities.apply(unique, "p", [Insert(Entity("p", "r", values))])
    assert dict((await entities.get(unique, "p", "r")).values) == values


@pytest.mark.parametrize(
    "values",
    [
        {"cell": b"x" * (_CELL + 1)},
        {"cell": "x" * (_CELL // 2 + 1)},
        {"cell": "😀" * (_CELL // 4 + 1)},
    ],
    ids=["bytes", "text", "pairs"],
)
@pytest.mark.parametrize("change", [Insert, Put])
async def test_larger_values_are_refused(entities, unique, values, change):
    await entities.apply(unique, "p", [Insert(Entity("p", "other"))])
    with pytest.raises(Permanent):
        await entities.apply(unique, "p", [change(Entity("p", "r", values))])
    with pytest.raises(Permanent):
        await entities.apply(unique, "p", [change(Entity("p", "r", values)), Put(Entity("p", "b"))])
    assert [entity.row async for entity in entities.query(unique, "p")] == ["other"]


async def test_a_row_whose_cells_are_too_large_together_is_refused(entities, unique):
    await entities.apply(unique, "p", [Insert(Entity("p", "r", {"n": 1}))])
    with pytest.raises(Permanent):
        await entities.apply(
            unique, "p", [Put(Entity("p", "r", {f"c{at}": b"x" * 60_000 for at in range(18)}))]
        )
    assert (await entities.get(unique, "p", "r")).values == {"n": 1}


_SIGNS = {"ascii": ("a", 1), "accents": ("é", 1), "han": ("猫", 1), "emoji": ("😀", 2), "rare han": ("𠮷", 2)}


@pytest.mark.parametrize(("sign", "units"), _SIGNS.values(), ids=_SIGNS)
async def test_texts_are_counted_in_utf_16_code_units(entities, unique, sign, units):
    most = _CELL // 2 // units
    await entities.apply(unique, "p", [Insert(Entity("p", "r", {"cell": sign * most}))])
    assert (await entities.get(unique, "p", "r")).values == {"cell": sign * most}
    with pytest.raises(Permanent):
        await entities.apply(unique, "p", [Put(Entity("p", "r", {"cell": sign * (most + 1)}))])


@pytest.mark.parametrize("number", [252, 253])
async def test_a_row_has_at_most_252_cells(entities, unique, number):
    row = Entity("p", "r", {f"c{at}": at for at in range(number)})
    if number == 252:
        await entities.apply(unique, "p", [Insert(row)])
        assert dict((await entities.get(unique, "p", "r")).values) == dict(row.values)
        return
    with pytest.raises(Permanent):
        await entities.apply(unique, "p", [Insert(row)])


_BAD_VALUES = {
    "half a pair": "a\ud83d",
    "too large an integer": 1 << 63,
    "too small an integer": -(1 << 63) - 1,
    "a naive moment": datetime(2026, 1, 1),  # noqa: DTZ001 - that is what is refused
    "too early a moment": datetime(1600, 1, 1, tzinfo=UTC),
}


@pytest.mark.parametrize("value", _BAD_VALUES.values(), ids=_BAD_VALUES)
async def test_a_value_that_storage_would_change_is_refused(entities, unique, value):
    await entities.apply(unique, "p", [Insert(Entity("p", "other"))])
    with pytest.raises(Permanent):
        await entities.apply(unique, "p", [Insert(Entity("p", "r", {"cell": value})), Put(Entity("p", "b"))])
    assert [entity.row async for entity in entities.query(unique, "p")] == ["other"]


_GOOD_KEYS = ["~work", "slot-0001", "20260101T000000.000000-x", "ü'猫", "x" * 512, "😀" * 256, " a b ", "%2F"]
_BAD_KEYS = ["a/b", "a\\b", "a#b", "a?b", "a\0", "a\nb", "\x7f", "\x85", "\ud800", "x" * 513, "😀" * 257]


@pytest.mark.parametrize("key", _GOOD_KEYS)
async def test_a_row_with_any_allowed_key_is_found(entities, unique, key):
    for partition, row in (("p", key), (key, "r")):
        await entities.apply(unique, partition, [Insert(Entity(partition, row, {"n": 1}))])
        assert (await entities.get(unique, partition, row)).values == {"n": 1}
        assert [entity.row async for entity in entities.query(unique, partition)] == [row]


@pytest.mark.parametrize("key", _BAD_KEYS)
async def test_a_key_that_is_not_allowed_is_refused_and_finds_no_row(entities, unique, key):
    for partition, row in (("p", key), (key, "r")):
        with pytest.raises(Permanent):
            await entities.apply(unique, partition, [Put(Entity(partition, row))])
        with pytest.raises(Permanent):
            await entities.apply(unique, partition, [Delete(row)])
        assert await entities.get(unique, partition, row) is None


@pytest.mark.parametrize("name", ["", "a b", "1st", "a-b", "PartitionKey", "Timestamp", "x" * 256])
async def test_a_name_of_a_cell_that_is_not_allowed_is_refused(entities, unique, name):
    with pytest.raises(Permanent):
        await entities.apply(unique, "p", [Put(Entity("p", "r", {name: 1}))])


async def test_only_1_to_100_changes_of_different_rows_of_one_partition_are_accepted(entities, unique):
    wrong: tuple[list[Change], ...] = (
        [],
        [Put(Entity("p", f"{at:03}")) for at in range(101)],
        [Put(Entity("p", "a")), Delete("a")],
        [Put(Entity("p", "a")), Put(Entity("other", "b"))],
        [Put(Entity("p", f"{at}", {f"c{n}": b"x" * 60_000 for n in range(15)})) for at in range(5)],
    )
    for changes in wrong:
        with pytest.raises(Permanent):
            await entities.apply(unique, "p", changes)
    assert [entity async for entity in entities.query(unique, "p")] == []
