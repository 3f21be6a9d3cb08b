"""One suite over every EntityStore."""

import asyncio
from datetime import UTC, datetime

import pytest

from shared.errors import AlreadyExists, Changed
from shared.storage.entities import Delete, Entity, Insert, Put, Replace, Value

VALUES: dict[str, Value] = {
    "text": "it's ünï",
    "empty": "",
    "small": 3,
    "large": 2**62,
    "ratio": 0.25,
    "yes": True,
    "data": bytes(range(256)),
    "moment": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
}


async def test_values_of_every_type_are_read_unchanged(entities, unique):
    await entities.apply(unique, "p", [Insert(Entity("p", "r", VALUES))])
    found = await entities.get(unique, "p", "r")
    assert found is not None
    assert dict(found.values) == VALUES
    assert {key: type(value) for key, value in found.values.items()} == {
        k: type(v) for k, v in VALUES.items()
    }
    assert found.etag


async def test_a_row_that_does_not_exist_is_none(entities, unique):
    assert await entities.get(unique, "p", "r") is None
    assert [entity async for entity in entities.query(unique, "p")] == []


async def test_an_insert_of_an_existing_row_changes_nothing(entities, unique):
    await entities.apply(unique, "p", [Insert(Entity("p", "r", {"n": 1}))])
    with pytest.raises(AlreadyExists):
        await entities.apply(unique, "p", [Insert(Entity("p", "r", {"n": 2}))])
    found = await entities.get(unique, "p", "r")
    assert found.values == {"n": 1}


async def test_a_replace_of_an_old_version_changes_nothing(entities, unique):
    await entities.apply(unique, "p", [Insert(Entity("p", "r", {"n": 1, "gone": "x"}))])
    old = await entities.get(unique, "p", "r")
    await entities.apply(unique, "p", [Replace(Entity("p", "r", {"n": 2}, old.etag))])
    with pytest.raises(Changed):
        await entities.apply(unique, "p", [Replace(Entity("p", "r", {"n": 3}, old.etag))])
    assert (await entities.get(unique, "p", "r")).values == {"n": 2}
    with pytest.raises(Changed):
        await entities.apply(unique, "p", [Replace(Entity("p", "none", {"n": 3}, old.etag))])


async def test_a_delete_of_an_old_version_changes_nothing(entities, unique):
    await entities.apply(unique, "p", [Insert(Entity("p", "r", {"n": 1})), Insert(Entity("p", "s"))])
    old = await entities.get(unique, "p", "r")
    [etag] = await entities.apply(unique, "p", [Put(Entity("p", "r", {"n": 2}))])
    for changes in ([Delete("r", old.etag)], [Delete("s"), Delete("r", old.etag)]):
        with pytest.raises(Changed):
            await entities.apply(unique, "p", changes)
    assert [row.row async for row in entities.query(unique, "p")] == ["r", "s"]
    assert await entities.apply(unique, "p", [Delete("s"), Delete("r", etag)]) == ["", ""]
    with pytest.raises(Changed):
        await entities.apply(unique, "p", [Delete("r", etag)])


async def test_a_put_replaces_any_version(entities, unique):
    for number in (1, 2):
        await entities.apply(unique, "p", [Put(Entity("p", "r", {"n": number}))])
    assert (await entities.get(unique, "p", "r")).values == {"n": 2}


async def test_a_delete_of_a_row_that_does_not_exist_fails(entities, unique):
    await entities.apply(unique, "p", [Insert(Entity("p", "r"))])
    await entities.apply(unique, "p", [Delete("r")])
    assert await entities.get(unique, "p", "r") is None
    with pytest.raises(Changed):
        await entities.apply(unique, "p", [Delete("r")])


async def test_changes_are_made_all_or_none(entities, unique):
    await entities.apply(unique, "p", [Insert(Entity("p", "a", {"n": 1}))])
    current = await entities.get(unique, "p", "a")
    bad = [Replace(Entity("p", "a", {"n": 2}, current.etag)), Insert(Entity("p", "b")), Delete("none")]
    with pytest.raises(Changed):
        await entities.apply(unique, "p", bad)
    with pytest.raises(AlreadyExists):
        await entities.apply(unique, "p", [Insert(Entity("p", "c")), Insert(Entity("p", "a"))])
    assert [entity.row async for entity in entities.query(unique, "p")] == ["a"]
    assert (await entities.get(unique, "p", "a")).values == {"n": 1}
    await entities.apply(
        unique, "p", [Replace(Entity("p", "a", {"n": 2}, current.etag)), Insert(Entity("p", "b"))]
    )
    assert [entity.row async for entity in entities.query(unique, "p")] == ["a", "b"]


async def test_a_hundred_changes_are_made_at_once(entities, unique):
    await entities.apply(unique, "p", [Insert(Entity("p", f"{n:03}", {"n": n})) for n in range(100)])
    assert len([entity async for entity in entities.query(unique, "p")]) == 100


async def test_one_of_several_concurrent_writers_wins_each_round(entities, unique):
    await entities.apply(unique, "p", [Insert(Entity("p", "r", {"n": 0}))])

    async def add_one():
        for _ in range(200):
            current = await entities.get(unique, "p", "r")
            change = Replace(Entity("p", "r", {"n": current.values["n"] + 1}, current.etag))
            try:
                await entities.apply(unique, "p", [change])
            except Changed:
                continue
            return

    await asyncio.gather(*(add_one() for _ in range(6)))
    assert (await entities.get(unique, "p", "r")).values == {"n": 6}


async def test_a_change_returns_the_new_versions(entities, unique):
    (first,) = await entities.apply(unique, "p", [Insert(Entity("p", "a", {"n": 1}))])
    assert (await entities.get(unique, "p", "a")).etag == first
    changes = [Replace(Entity("p", "a", {"n": 2}, first)), Insert(Entity("p", "b")), Put(Entity("p", "c"))]
    made = await entities.apply(unique, "p", changes)
    assert made == [(await entities.get(unique, "p", row)).etag for row in "abc"]
    for change in (Replace(Entity("p", "a", {"n": 3}, made[0])), Put(Entity("p", "a", {"n": 4}))):
        made = await entities.apply(unique, "p", [change])
        assert made == [(await entities.get(unique, "p", "a")).etag]
    assert await entities.apply(unique, "p", [Delete("a")]) == [""]
    made = await entities.apply(unique, "p", [Delete("b"), Put(Entity("p", "c", {"n": 5}))])
    assert made == ["", (await entities.get(unique, "p", "c")).etag]


async def test_a_query_is_ordered_and_bounded(entities, unique):
    await entities.apply(unique, "p", [Put(Entity("p", row)) for row in ("c", "a", "b", "d")])
    await entities.apply(unique, "other", [Put(Entity("other", "a"))])
    assert [entity.row async for entity in entities.query(unique, "p")] == ["a", "b", "c", "d"]
    assert [entity.row async for entity in entities.query(unique, "p", after="a", before="d")] == ["b", "c"]
    assert [entity.row async for entity in entities.query(unique, "p", after="c")] == ["d"]


async def test_a_scan_yields_the_rows_of_all_partitions_in_order(entities, unique):
    keys = [(partition, row) for partition in ("ann", "bob", "~all") for row in ("x", "y", "~mark")]
    for partition, row in reversed(keys):
        await entities.apply(unique, partition, [Put(Entity(partition, row, {"n": 1}))])
    wanted = [("ann", "x"), ("ann", "y"), ("bob", "x"), ("bob", "y")]

    async def keys_after(after):
        rows = entities.scan(unique, after=after, below="~")
        return [(row.partition, row.row) async for row in rows]

    assert await keys_after(("", "")) == wanted
    for number, key in enumerate(wanted):
        assert await keys_after(key) == wanted[number + 1 :]
    assert await keys_after(("ann", "xx")) == wanted[1:]
    assert await keys_after(("ann", "zz")) == wanted[2:]
    assert await keys_after(("az", "")) == wanted[2:]


async def test_a_scan_of_many_rows_misses_and_repeats_none(entities, unique):
    for partition in ("ann", "bob"):
        for start in range(0, 300, 100):
            rows = [Entity(partition, f"{number:04}") for number in range(start, start + 100)]
            await entities.apply(unique, partition, [Put(row) for row in rows])
    found = [
        (row.partition, row.row) async for row in entities.scan(unique, after=("ann", "0149"), below="~")
    ]
    assert found == [
        *(("ann", f"{number:04}") for number in range(150, 300)),
        *(("bob", f"{number:04}") for number in range(300)),
    ]


async def test_a_scan_of_a_table_that_does_not_exist_yields_nothing(entities, unique):
    assert [row async for row in entities.scan(unique, after=("", ""), below="~")] == []


async def test_erasing_deletes_the_whole_partition(entities, unique):
    for start in range(0, 250, 50):
        await entities.apply(unique, "p", [Put(Entity("p", f"{start + n:04}")) for n in range(50)])
    await entities.apply(unique, "other", [Put(Entity("other", "a"))])
    await entities.erase(unique, "p")
    await entities.erase(unique, "p")
    assert [entity async for entity in entities.query(unique, "p")] == []
    assert [entity.row async for entity in entities.query(unique, "other")] == ["a"]


async def test_a_store_answers_a_ping(entities):
    await entities.ping()
