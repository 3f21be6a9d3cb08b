"""Reads the records of a dataset that is refreshed: all that a later revision takes over from them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from pydantic import TypeAdapter
from pydantic_core import from_json

from shared.damage import reading
from shared.records.candidates import Candidate, Known, StoredRange
from shared.records.delivered import Delivered, read_lines
from shared.records.facts import ImageFacts
from shared.records.records import Reason


@dataclass(frozen=True, slots=True)
class _Rest:
    """The fields of a line that neither an image nor its facts have."""

    reason: str = ""
    detail: str = ""
    same_as: int | None = None
    same_as_dataset: str | None = None
    final_url: str | None = None
    fetched_at: str | None = None
    etag: str = ""
    last_modified: str = ""


# if images that percentiles have dropped were not judged again, each refresh would drop more of the others
_JUDGED_AGAIN = frozenset({Reason.ROBOTS_DENIED, Reason.PERCENTILE_FILTERED})
_ASKED_AGAIN = frozenset(
    {
        Reason.OPTED_OUT,
        Reason.TLS_FAILED,
        Reason.TOO_MANY_REDIRECTS,
        Reason.HTTP_ERROR,
        Reason.NOT_FOUND,
        Reason.EMPTY_BODY,
    }
)
"""The reasons for which hosts are asked again if a refresh checks known images."""


@dataclass(frozen=True, slots=True)
class KnownLine:
    """One line of the file: the candidate, and what became of it."""

    line: Delivered
    known: Known

    def is_final(self, *, check: bool) -> bool:
        """Returns whether a refresh takes over the outcome. Otherwise the candidate counts as one never seen before."""
        if self.line.kept:
            return True
        reason = Reason(self.known.reason)
        again = reason.transient or reason in _JUDGED_AGAIN or (check and reason in _ASKED_AGAIN)
        return not again

    def candidate(self, folder: str, *, listed: bool) -> Candidate:
        """Returns the candidate. The dataset's files are below `folder`, which ends in a slash."""
        line = self.line
        stored = StoredRange(f"{folder}{line.blob}", line.offset, line.size_bytes)
        found = line.candidate(stored)
        known = replace(self.known, listed=listed)
        return replace(found, known=known, stored=stored if line.kept else None)


_lines, _facts, _rest = TypeAdapter(Delivered), TypeAdapter(ImageFacts), TypeAdapter(_Rest)


async def read_known_lines(pieces: AsyncIterator[bytes], dataset_id: str) -> AsyncIterator[list[KnownLine]]:
    """Yields the lines of a whole records file, some at a time.

    Raises:
        Damaged: the file is cut short, garbled or of another shape.
    """
    async for lines in read_lines(pieces, dataset_id):
        with reading(f"the records of dataset {dataset_id}"):
            found = [_decode(line) for line in lines]
        yield found


def _decode(data: bytes) -> KnownLine:
    fields = from_json(data)
    line, rest = _lines.validate_python(fields), _rest.validate_python(fields)
    facts = None
    if line.kept:
        # a flat picture has no perceptual hash, and lines have no empty fields
        facts = _facts.validate_python({"perceptual_hash": "", **fields})
    else:
        # only known words are taken over
        Reason(rest.reason)
    known = Known(
        facts=facts,
        split=line.split,
        reason=rest.reason,
        detail=rest.detail,
        same_as=rest.same_as,
        same_as_dataset=rest.same_as_dataset,
        final_url=rest.final_url,
        fetched_at=rest.fetched_at,
        etag=rest.etag,
        last_modified=rest.last_modified,
    )
    return KnownLine(line, known)
