"""Counts of outcomes by label, added up over chunks without ever outgrowing a table cell."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.records import Reason, Record, Rejected

KEPT = "kept"
OTHER_LABELS = "(other labels)"
_MAX_LABELS = 1000


@dataclass(frozen=True, slots=True)
class Tally:
    """`counts[label][outcome]`, where an outcome is "kept" or a rejection's reason.

    Beyond 1,000 labels, further ones are added up under "(other labels)"; the dataset's own records stay exact.
    """

    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[Record]) -> Tally:
        """The tally of some records."""
        counts: dict[str, dict[str, int]] = {}
        for record in records:
            outcome = record.outcome
            word = str(outcome.reason) if isinstance(outcome, Rejected) else KEPT
            _count(counts, record.candidate.label, word, 1)
        return cls(counts)

    def plus(self, other: Tally) -> Tally:
        """The sum of both."""
        return self._with(other, 1)

    def minus(self, other: Tally) -> Tally:
        """Without what the other counts; a part of a whole may go below nothing, as long as the whole does not."""
        return self._with(other, -1)

    @property
    def found(self) -> int:
        """All candidates that have an outcome."""
        return sum(sum(outcomes.values()) for outcomes in self.counts.values())

    @property
    def kept(self) -> int:
        """Those that were kept."""
        return sum(outcomes.get(KEPT, 0) for outcomes in self.counts.values())

    @property
    def passing(self) -> int:
        """Those that were rejected for a reason that may pass."""
        return sum(number for reason, number in self.rejections.items() if Reason(reason).passing)

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
        """Compact bytes for a table cell (64 KiB hold the thousand labels many times over)."""
        return zlib.compress(json.dumps(self.counts, separators=(",", ":")).encode(), 6)

    @classmethod
    def decode(cls, data: bytes) -> Tally:
        """The reverse of `encode`."""
        return cls(json.loads(zlib.decompress(data)) if data else {})

    def _with(self, other: Tally, times: int) -> Tally:
        counts = {label: dict(outcomes) for label, outcomes in self.counts.items()}
        for label, outcomes in other.counts.items():
            for outcome, number in outcomes.items():
                _count(counts, label, outcome, number * times)
        return Tally(counts)


def _count(counts: dict[str, dict[str, int]], label: str, outcome: str, number: int) -> None:
    if label not in counts and len(counts) >= _MAX_LABELS:
        label = OTHER_LABELS
    outcomes = counts.setdefault(label, {})
    outcomes[outcome] = outcomes.get(outcome, 0) + number
    if not outcomes[outcome]:
        del outcomes[outcome]
    if not outcomes:
        del counts[label]
