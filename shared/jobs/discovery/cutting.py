"""Cuts the candidates that discovery has found into chunks of similar size."""

from collections.abc import Sequence
from itertools import pairwise

from shared.records.candidates import Candidate

# Characters of text in a chunk. A candidate usually has some hundred, but one from a list may have 30,000.
CHUNK_CHARACTERS = 4 << 20


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
