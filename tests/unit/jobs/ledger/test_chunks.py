"""Counts are exact although chunks change at the same time."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from shared.jobs.job.chunk_ids import chunk_id, halves_of, is_of_a_half, number_of, rest_of
from shared.jobs.ledger.chunks import Addition, ChunkLedger
from shared.jobs.ledger.rows import ChunkRow, DiscoveryRow
from shared.jobs.ledger.tally import OTHER_LABELS, Tally
from shared.storage.memory.entities import MemoryEntities
from tests.expect import present

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class _Interrupted(MemoryEntities):
    """Runs something right after one row was read."""

    row = ""
    then: Callable[[], Awaitable[None]] | None = None

    async def query(self, table, partition, *, after="", before=""):
        async for entity in super().query(table, partition, after=after, before=before):
            yield entity
            if entity.row == self.row and self.then is not None:
                then, self.then = self.then, None
                await then()


class _Counted(MemoryEntities):
    """Counts how often a single row is read."""

    reads = 0

    async def get(self, table, partition, row):
        self.reads += 1
        return await super().get(table, partition, row)


@pytest.mark.parametrize("lane", range(16))
async def test_chunks_that_end_while_the_lanes_are_read_do_not_look_like_the_end(lane):
    store = _Interrupted()
    ledger = ChunkLedger(store)
    discovery = DiscoveryRow(b"")
    for number in range(1, 11):
        addition = Addition([ChunkRow(chunk_id(number), "c", 2)], found=2)
        discovery = await ledger.add("job", addition, discovery, NOW)

    async def finish(name, successors=()):
        row = present(await ledger.chunk("job", name))
        await ledger.finish("job", row, Tally(), [ChunkRow(other, "c", 1) for other in successors], NOW)

    open_ones = [chunk_id(2), chunk_id(9)]
    for number in range(1, 11):
        if chunk_id(number) not in open_ones:
            await finish(chunk_id(number))

    async def halve_and_finish():
        await finish(open_ones[0], halves_of(open_ones[0]))
        for half in halves_of(open_ones[0]):
            await finish(half)

    store.row, store.then = f"progress-{lane:02}", halve_and_finish
    progress = await ledger.progress("job")
    assert store.then is None
    assert progress.done < progress.added
    await finish(open_ones[1])
    progress = await ledger.progress("job")
    assert progress.done == progress.added == 12


async def test_the_first_chunks_are_counted_without_a_read():
    store = _Counted()
    ledger = ChunkLedger(store)
    discovery = DiscoveryRow(b"")
    for number in range(1, 10):
        addition = Addition([ChunkRow(chunk_id(number), "c", 2)], found=2)
        discovery = await ledger.add("job", addition, discovery, NOW)
    chunks = [chunk async for chunk in ledger.chunks("job")]
    assert store.reads == 1  # before the ninth was added
    for chunk in chunks:
        assert await ledger.finish("job", chunk, Tally(), (), NOW)
    assert store.reads == 2
    assert not await ledger.finish("job", chunks[0], Tally(), (), NOW)
    progress = await ledger.progress("job")
    assert (progress.added, progress.done, progress.found) == (9, 9, 18)


def test_names_of_chunks_show_the_chunk_that_they_descend_from():
    name = chunk_id(7)
    assert [rest_of(name), rest_of(rest_of(name))] == ["000007.0002", "000007.0003"]
    assert rest_of(halves_of(rest_of(name))[0]) == "000007.0002a.0002"
    for descendant in (name, rest_of(name), *halves_of(name)):
        assert number_of(descendant) == 7
        assert name <= descendant < chunk_id(8)
    assert [is_of_a_half(found) for found in (name, rest_of(name), halves_of(name)[1])] == [
        False,
        False,
        True,
    ]


def test_a_tally_can_be_subtracted():
    whole = Tally({"a": {"kept": 2, "timed_out": 1}, "b": {"crashed": 1, "corrupt": 1}})
    part = Tally({"a": {"timed_out": 1}, "b": {"crashed": 1}})
    assert whole.transient == 2
    rest = whole.minus(part)
    assert rest.counts == {"a": {"kept": 2}, "b": {"corrupt": 1}}
    assert Tally().minus(part).plus(whole).counts == rest.counts
    assert rest.transient == 0


def _long_labels(number):
    chance = random.Random(1)
    return [
        "".join(chance.choices("語言圖片資料集的長標籤", k=chance.randint(20, 200))) for _ in range(number)
    ]


def _counted(label, times=1):
    return Tally({label: {"kept": times, "timed_out": times}})


def test_a_sum_of_many_long_labels_fits_and_counts_as_many_as_possible_by_name():
    labels = [*_long_labels(3000), *(f"short {number}" for number in range(500))]
    random.Random(2).shuffle(labels)
    total = Tally()
    for start in range(0, len(labels), 100):
        total = total.plus(Tally.sum(map(_counted, labels[start : start + 100])))
    assert total.found == 2 * len(labels)
    assert len(str(dict(total.counts)).encode("utf-16-le")) < 300_000
    named = total.counts.keys() - {OTHER_LABELS}
    assert named >= {f"short {number}" for number in range(500)}
    assert total.counts[OTHER_LABELS]["kept"] == len(labels) - len(named)
    assert all(total.counts[label] == {"kept": 1, "timed_out": 1} for label in named)
    assert Tally.decode(total.encode(), total.folded_from) == total


def test_counts_by_name_are_exact_in_any_order_of_additions_and_subtractions():
    labels, chance = _long_labels(2500), random.Random(3)
    lanes = [Tally() for _ in range(4)]
    taken = chance.sample(labels, 1200)
    for start in range(0, len(labels), 50):
        at = chance.choice((0, 0, 0, 1, 2, 3))  # the first lane folds, the others do not
        lanes[at] = lanes[at].plus(Tally.sum(_counted(label, 2) for label in labels[start : start + 50]))
    for start in range(0, len(taken), 50):
        at = chance.randrange(4)
        back = Tally({label: {"timed_out": 2} for label in taken[start : start + 50]})
        lanes[at] = lanes[at].minus(back)
    total = Tally.sum(lanes)
    named = total.counts.keys() - {OTHER_LABELS}
    assert [bool(lane.folded_from) for lane in lanes] == [True, False, False, False]
    assert 0 < len(named) < len(labels)
    for label in named:
        assert total.counts[label] == ({"kept": 2} if label in set(taken) else {"kept": 2, "timed_out": 2})
    assert min(total.counts[OTHER_LABELS].values()) >= 0
    assert (total.kept, total.transient) == (5000, 5000 - 2400)
