"""Defines the input and the result of the crawl step."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.crawling.options import CrawlOptions
from shared.records.candidates import NumberedCandidate
from shared.records.records import Record


@dataclass(frozen=True, slots=True)
class Chunk:
    """Candidates that one run of the crawl step works on. No two of them have the same index.

    `shard` is the name of the blob that the bytes of kept images go to. No other run writes to that name.
    """

    candidates: Sequence[NumberedCandidate]
    shard: str
    options: CrawlOptions


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """The records of the processed candidates, sorted by index, and the candidates that have no record.

    Candidates stay unfinished if the deadline passes, if the job is stopped, or if their host may not be asked in
    time. `asked` is true if any host was asked for anything, even if no answer came.
    """

    records: tuple[Record, ...]
    unfinished: tuple[NumberedCandidate, ...] = ()
    asked: bool = False
