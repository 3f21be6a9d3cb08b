"""The ledger of a job works on every EntityStore."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.errors import Changed
from shared.jobs.ledger.chunks import Addition, ChunkLedger
from shared.jobs.ledger.report import DiscoveryReport, Problems
from shared.jobs.ledger.rows import ChunkRow, DiscoveryRow
from shared.jobs.ledger.tally import Tally
from tests.expect import present

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_the_ledger_has_room_for_the_outcomes_of_thousands_of_long_labels(entities, unique):
    chance = random.Random(1)
    labels = ["".join(chr(chance.randint(0x4E00, 0x9FFF)) for _ in range(100)) for _ in range(2000)]
    counts = Tally({label: {"kept": 3, "timed_out": 2, "not_found": 1} for label in labels})
    ledger = ChunkLedger(entities)
    await ledger.add(
        unique, Addition([ChunkRow("000001", "b", 12_000)], found=12_000), DiscoveryRow(b""), NOW
    )
    chunk = present(await ledger.chunk(unique, "000001"))
    assert await ledger.finish(unique, chunk, counts, (), NOW)
    progress = await ledger.progress(unique)
    assert (progress.tally.found, progress.tally.kept, progress.transient) == (12_000, 6000, 4000)
    again = Addition(
        [ChunkRow("000002", "b", 4000)], retried_outcomes=Tally({x: {"timed_out": 2} for x in labels})
    )
    await ledger.add(unique, again, present(await ledger.discovery(unique)), NOW)
    progress = await ledger.progress(unique)
    assert (progress.tally.found, progress.tally.kept, progress.transient) == (8000, 6000, 0)
    assert progress.tally.rejections == {"not_found": 2000}
    assert len(progress.tally.counts) > 500


@pytest.mark.parametrize("sign", ['"', "\\", "\N{CAT}", "\n", "\x00", "\ud83d"])
async def test_the_longest_report_of_discovery_fits_beside_the_largest_state(entities, unique, sign):
    problems = Problems()
    problems.note(f"{number} {sign * 1000}" for number in range(100))
    report = DiscoveryReport(problems.count, tuple(problems.lines), notice="n" * 1000, can_continue=False)
    ledger = ChunkLedger(entities)
    await ledger.add(unique, Addition(), DiscoveryRow(b"s" * 60_000, report), NOW)
    assert await ledger.report(unique) == replace(report, saved_at=NOW)
    assert (problems.count, len(problems.lines)) == (100, 20)
    row = present(await ledger.discovery(unique))
    assert (row.state, row.report) == (b"s" * 60_000, replace(report, saved_at=NOW))


async def test_who_is_behind_changes_neither_the_state_nor_the_report(entities, unique):
    ledger = ChunkLedger(entities)
    begun = await ledger.add(unique, Addition(), DiscoveryRow(b"1", DiscoveryReport(1, ("a",))), NOW)
    ahead = await ledger.add(unique, Addition(), replace(begun, state=b"2"), NOW)
    with pytest.raises(Changed):
        await ledger.add(unique, Addition(), replace(begun, state=b"3", report=DiscoveryReport(9)), NOW)
    assert await ledger.discovery(unique) == ahead
