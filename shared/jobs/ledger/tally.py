"""Counts of outcomes by label, added up over chunks without ever outgrowing a table row.

Where labels are too many or too long, the longest are counted together. From which label on is a part of the tally, and
only ever moves down as tallies are added. So what is counted by name is exact, in whatever order tallies are added and
taken back: no label has some of its outcomes here and some there.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.records.records import KEPT, Reason, Record, Rejected

OTHER_LABELS = "(other labels)"
_MAX_BYTES = 256 << 10  # as JSON in UTF-16, which tables count in; a row takes 1 MiB, and holds more


@dataclass(frozen=True, slots=True)
class Tally:
    """`counts[label][outcome]`, where an outcome is "kept" or a rejection's reason.

    A sum of tallies takes 256 KiB at most. Where it would take more, the label `folded_from` and all that come after
    it, in order of length and then of letters, are added up under "(other labels)"; it is empty where all are counted
    by name. The dataset's own records stay exact.
    """

    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    folded_from: str = ""

    @classmethod
    def of(cls, records: Iterable[Record]) -> Tally:
        """The tally of some records."""
        counts: dict[str, dict[str, int]] = {}
        for record in records:
            outcome = record.outcome
            word = str(outcome.reason) if isinstance(outcome, Rejected) else KEPT
            _count(counts, record.candidate.label, word, 1)
        return cls(counts)

    @classmethod
    def sum(cls, tallies: Iterable[Tally]) -> Tally:
        """All of them together."""
        return _combined((tally, 1) for tally in tallies)

    def plus(self, other: Tally) -> Tally:
        """The sum of both."""
        return _combined(((self, 1), (other, 1)))

    def minus(self, other: Tally) -> Tally:
        """Without what the other counts; a part of a whole may go below nothing, as long as the whole does not."""
        return _combined(((self, 1), (other, -1)))

    @property
    def found(self) -> int:
        """All candidates that have an outcome."""
        return sum(sum(outcomes.values()) for outcomes in self.counts.values())

    @property
    def kept(self) -> int:
        """Those that were kept."""
        return sum(outcomes.get(KEPT, 0) for outcomes in self.counts.values())

    @property
    def transient(self) -> int:
        """Those that were rejected for a transient reason."""
        return sum(number for reason, number in self.rejections.items() if Reason(reason).transient)

    @property
    def rejections(self) -> Mapping[str, int]:
        """Rejected candidates by reason, the most frequent first."""
        totals: dict[str, int] = {}
        for outcomes in self.counts.values():
            for outcome, number in outcomes.items():
                if outcome != KEPT:
                    totals[outcome] = totals.get(outcome, 0) + number
        return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))

    def encode(self) -> bytes:
        """The counts as compact bytes: of a sum, a few KB as a rule, and less than 1 MB in any case."""
        return zlib.compress(json.dumps(self.counts, separators=(",", ":")).encode(), 6)

    @classmethod
    def decode(cls, data: bytes, folded_from: str = "") -> Tally:
        """The reverse of `encode`."""
        return cls(json.loads(zlib.decompress(data)) if data else {}, folded_from)


def _combined(terms: Iterable[tuple[Tally, int]]) -> Tally:
    """All tallies, each so many times."""
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
    """The tally of the counts, with so many labels counted together as have to be."""
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
    """Which of two labels comes first; an empty one stands for none."""
    return min((label for label in (one, other) if label), key=_rank, default="")


def _rank(label: str) -> tuple[int, str]:
    return len(label), label


def _size(counts: Mapping[str, Mapping[str, int]]) -> int:
    text = json.dumps(counts, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode("utf-16-le", "surrogatepass"))
