"""Compares a refreshed dataset with the revision that the refresh started from, image by image."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from shared.archiving.planning.text_writer import TextWriter, close_records
from shared.records.delivered import encode_delivered
from shared.records.records import KEPT, Reason, Record


class Change(StrEnum):
    """What a refresh found out about one image. The value is the word in the diff."""

    # the dataset did not have it
    ADDED = "added"
    # its host has other bytes now
    CHANGED = "changed"
    # its sources no longer list it, or its host no longer has it
    GONE = "gone"
    # its use is not allowed any more, so the dataset does not have it
    OPTED_OUT = "opted_out"
    # the dataset does not have it any more for another reason, such as a better copy
    DROPPED = "dropped"


UNCHANGED = "unchanged"
"""The word that counts the other images of the dataset. The diff has no lines for them."""
_WITHDRAWN = frozenset({Reason.ROBOTS_DENIED, Reason.OPTED_OUT})
_COPIED = ("index", "label", "url", "source", "outcome", "reason", "detail", "file", "split", "sha256")


class DiffWriter:
    """Writes the diff while the records are written, if it is wanted.

    `counts` has the number of images for each word, also if it is 0. It is None if the diff is not wanted.
    """

    def __init__(self, writer: TextWriter, *, wanted: bool) -> None:
        self.counts = dict.fromkeys([*map(str, Change), UNCHANGED], 0) if wanted else None
        self._writer = writer

    async def add(self, records: Sequence[Record], lines: Sequence[Mapping[str, object]]) -> None:
        """Compares some records. `lines` are what the dataset's records say of them."""
        if self.counts is None:
            return
        found: list[Mapping[str, object]] = []
        for record, line in zip(records, lines, strict=True):
            change = _change(record, line)
            if change is not None:
                self.counts[change] += 1
                found.append({"change": str(change), **_fields(record, line)})
            elif line["outcome"] == KEPT:
                self.counts[UNCHANGED] += 1
        if found:
            await self._writer.add(encode_delivered(found))

    async def close(self) -> None:
        """Stores the diff, which is then complete."""
        if self.counts is not None:
            await close_records(self._writer)


def _change(record: Record, line: Mapping[str, object]) -> Change | None:
    known = record.candidate.known
    before = known.facts if known else None
    if before is None:
        return Change.ADDED if line["outcome"] == KEPT else None
    reason = line.get("reason")
    if reason in _WITHDRAWN:
        return Change.OPTED_OUT
    if record.gone or reason == Reason.NOT_FOUND:
        return Change.GONE
    if reason is not None:
        return Change.DROPPED
    return Change.CHANGED if line["sha256"] != before.sha256 else None


def _fields(record: Record, line: Mapping[str, object]) -> Mapping[str, object]:
    known = record.candidate.known
    fields = {name: line[name] for name in _COPIED if name in line}
    if known is not None and known.facts is not None:
        fields["sha256_before"] = known.facts.sha256
    return fields
