"""Cuts the candidates that discovery has found into chunks of similar size."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.records.candidates import Candidate

# Characters of text in a chunk. A candidate usually has some hundred, but one from a list may have 30,000.
CHUNK_CHARACTERS = 4 << 20
_SMALL_CHUNK = 256
_LAST_CHUNKS = 3
_CHUNKS_OF_A_SMALL_JOB = 4


@dataclass(frozen=True, slots=True)
class ChunkSizes:
    """How many candidates make a chunk.

    With small chunks a job begins early, spreads over instances and shows its progress. Large chunks cost fewer calls
    of storage per image. So the first chunks are small, and so are the last ones.

    Attributes:
        found: The number of candidates that are not in a chunk yet.
        characters: How many characters of text these have.
        known: The number of all candidates of the job so far, with these.
        most: How many candidates a chunk may have.
    """

    found: int
    characters: int
    known: int
    most: int

    @property
    def largest(self) -> int:
        """The largest size now. Candidates with much text make smaller chunks, which bounds a chunk's memory."""
        by_text = self.found * CHUNK_CHARACTERS // max(self.characters, 1)
        return min(self.most, max(by_text, 1))

    @property
    def enough(self) -> int:
        """How many candidates are enough for a chunk: half of those that are known.

        If more of them come at once, as those of a list do, they make one chunk, up to the largest size.
        """
        return min(self.largest, max(_SMALL_CHUNK, self.known // 2))

    @property
    def last(self) -> int:
        """The size at the end of discovery: small, so that all instances finish at about the same time.

        A job that would fit into four of the largest chunks is not cut into many more than four.
        """
        size = self.found // _LAST_CHUNKS
        if self.known <= _CHUNKS_OF_A_SMALL_JOB * self.most:
            size = max(size, self.known // _CHUNKS_OF_A_SMALL_JOB)
        return min(self.largest, max(_SMALL_CHUNK, size))


def characters_of(candidate: Candidate) -> int:
    """Returns how many characters the candidate's long texts have."""
    origin = candidate.provenance
    texts = (
        candidate.url,
        candidate.caption,
        origin.page_url,
        origin.title,
        origin.creator,
        origin.creator_url,
    )
    more = (origin.license_url, origin.attribution, *candidate.extra.values())
    return sum(len(text) for text in (*texts, *more) if text)


def split_evenly[Item](candidates: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Splits into parts of about `size` candidates, whose sizes differ by at most one."""
    count = max(1, round(len(candidates) / size)) if candidates else 0
    bounds = [len(candidates) * at // count for at in range(count + 1)] if count else []
    return [candidates[start:end] for start, end in pairwise(bounds)]
