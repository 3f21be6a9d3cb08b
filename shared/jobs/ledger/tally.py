"""Counts outcomes by label. Sums of counts never outgrow a table row.

If the labels are too many or too long, the longest ones are counted together, as "(other labels)". The tally says from
which label on, in order of length. That border only ever moves to shorter labels as tallies are added. So all outcomes
of one label are counted in one place, and each count by name is exact, in whatever order tallies are added and
subtracted.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.records.records import KEPT, Reason, Record, Rejected

OTHER_LABELS = "(other labels)"
# Of JSON in UTF-16, which is how tables count. A row may have 1 MiB, and holds other cells too.
_MAX_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts candidates by label and outcome. The dataset's own records stay exact.

    Attributes:
        counts: `counts[label][outcome]` is a number of candidates; an outcome is "kept" or the reason of a rejection.
            Sums of tallies take at most 256 KiB.
        folded_from: The first label, in order of length and then of letters, that is counted under "(other labels)".
            All labels after it are counted there, too. It is empty if all labels are counted by name.
    """

    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    folded_from: str = ""

    @classmethod
    def of(cls, records: Iterable[Record]) -> Tally:
        """Counts the outcomes of records."""
        counts: dict[str, dict[str, int]] = {}
        for record in records:
            outcome = record.outcome
            word = str(outcome.reason) if isinstance(outcome, Rejected) else KEPT
            _count(counts, record.candidate.label, word, 1)
        return cls(counts)

    @classmethod
    def sum(cls, tallies: Iterable[Tally]) -> Tally:
        """Returns the sum of tallies."""
        return _combined((tally, 1) for tally in tallies)

    def plus(self, other: Tally) -> Tally:
        """Returns the sum of both."""
        return _combined(((self, 1), (other, 1)))

    def minus(self, other: Tally) -> Tally:
        """Returns the difference. Counts of one lane may become negative, while the sum over all lanes does not."""
        return _combined(((self, 1), (other, -1)))

    @property
    def found(self) -> int:
        """How many candidates have an outcome."""
        return sum(sum(outcomes.values()) for outcomes in self.counts.values())

    @property
    def kept(self) -> int:
        """How many candidates were kept."""
        return sum(outcomes.get(KEPT, 0) for outcomes in self.counts.values())

    @property
    def transient(self) -> int:
        """How many candidates were rejected for a transient reason."""
        return sum(number for reason, number in self.rejections.items() if Reason(reason).transient)

    @property
    def rejections(self) -> Mapping[str, int]:
        """How many candidates were rejected, by reason, the most frequent reason first."""
        totals: dict[str, int] = {}
        for outcomes in self.counts.values():
            for outcome, number in outcomes.items():
                if outcome != KEPT:
                    totals[outcome] = totals.get(outcome, 0) + number
        return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))

    def encode(self) -> bytes:
        """Returns the counts as compressed JSON: usually a few KB, and less than 1 MB for any sum."""
        return zlib.compress(json.dumps(self.counts, separators=(",", ":")).encode(), 6)

    @classmethod
    def decode(cls, data: bytes, folded_from: str = "") -> Tally:
        """Reverses `encode`."""
        return cls(json.loads(zlib.decompress(data)) if data else {}, folded_from)


def _combined(terms: Iterable[tuple[Tally, int]]) -> Tally:
    """Adds up tallies, each multiplied by a number."""
    counts: dict[str, dict[str, int]] = {}
    folded_from = ""
    for tally, times in terms:
        folded_from = _first(folded_from, tally.folded_from)
        for label, outcomes in tally.counts.items():
            for outcome, number in outcomes.items():
                _count(counts, label, outcome, number * times)
    return _folded(counts, folded_from)


def _count(counts: dict[str, dict[str, int]], label: str, outcome: str, number: int) -> None:
    outcomes = counts.setdefault(label, {})
    outcomes[outcome] = outcomes.get(outcome, 0) + number
    if not outcomes[outcome]:
        del outcomes[outcome]
    if not outcomes:
        del counts[label]


def _folded(counts: dict[str, dict[str, int]], folded_from: str) -> Tally:
    """Makes a tally of the counts, and folds as few labels as possible into "(other labels)"."""
    size = _size(counts)
    if size <= _MAX_BYTES and not folded_from:
        return Tally(counts)
    named = sorted(counts.keys() - {OTHER_LABELS}, key=_rank)
    while named and (size > _MAX_BYTES or (folded_from and _rank(named[-1]) >= _rank(folded_from))):
        label = named.pop()
        outcomes = counts.pop(label)
        size -= _size({label: outcomes})
        folded_from = _first(folded_from, label)
        for outcome, number in outcomes.items():
            _count(counts, OTHER_LABELS, outcome, number)
    return Tally(counts, folded_from)


def _first(one: str, other: str) -> str:
    """Returns the label that comes first in order of length and then of letters. An empty text is no label."""
    return min((label for label in (one, other) if label), key=_rank, default="")


def _rank(label: str) -> tuple[int, str]:
    return len(label), label


def _size(counts: Mapping[str, Mapping[str, int]]) -> int:
    text = json.dumps(counts, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode("utf-16-le", "surrogatepass"))
