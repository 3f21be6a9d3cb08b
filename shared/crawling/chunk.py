"""What the crawl step works on, and what it gives back."""

from dataclasses import dataclass

from shared.crawling.options import CrawlOptions
from shared.records.candidates import Candidate
from shared.records.records import Record


@dataclass(frozen=True, slots=True)
class Chunk:
    """Candidates to work through: `candidates[i]` has index `indices[i]` in the job.

    `shard` is the name of the blob that the kept images' bytes go to; nobody else writes that name.
    """

    candidates: tuple[Candidate, ...]
    indices: tuple[int, ...]
    shard: str
    options: CrawlOptions


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """Outcomes in order of index, and the positions in the chunk for which time or permission ran out.

    `asked` says that a host was asked for some of them, be it in vain.
    """

    records: tuple[Record, ...]
    unfinished: tuple[int, ...] = ()
    asked: bool = False
