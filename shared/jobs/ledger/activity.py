"""Counts what was fetched over time, in a bounded number of spans.

A span is 1 second long, or 2, 4, 8 and so on: as long as needed so that there are few of them. Spans in which nothing
happened are not stored, so a retry weeks later does not make the spans longer. Sums do not depend on the order of what
is added.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

MOST_SPANS = 60
"""How many spans an activity has at most."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened in a span: chunks that were done, and the candidates in them that were kept and rejected."""

    chunks: int = 0
    kept: int = 0
    rejected: int = 0

    def plus(self, other: Counts) -> Counts:
        """Returns the sum of both."""
        return Counts(self.chunks + other.chunks, self.kept + other.kept, self.rejected + other.rejected)


@dataclass(frozen=True, slots=True)
class Activity:
    """Counts by span.

    Attributes:
        seconds: How long each span is, a power of two.
        spans: The counts by the number of the span. Span `n` begins `n * seconds` after 1970 began.
    """

    seconds: int = 1
    spans: Mapping[int, Counts] = field(default_factory=dict)

    @classmethod
    def at(cls, moment: datetime, counts: Counts) -> Activity:
        """Returns what happened at one moment."""
        return cls(1, {int(moment.timestamp()): counts})

    def plus(self, other: Activity) -> Activity:
        """Returns the sum of both."""
        return Activity.sum((self, other))

    @classmethod
    def sum(cls, activities: Iterable[Activity]) -> Activity:
        """Returns the sum of activities."""
        terms = tuple(activities)
        seconds = max((term.seconds for term in terms), default=1)
        while True:
            spans: dict[int, Counts] = {}
            for term in terms:
                for number, counts in term.spans.items():
                    place = number * term.seconds // seconds
                    spans[place] = spans.get(place, Counts()).plus(counts)
            if len(spans) <= MOST_SPANS:
                return cls(seconds, dict(sorted(spans.items())))
            seconds *= 2

    def encode(self) -> str:
        """Returns the activity as JSON of less than 4 kB."""
        spans = [(number, each.chunks, each.kept, each.rejected) for number, each in self.spans.items()]
        return json.dumps([self.seconds, spans], separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> Activity:
        """Reverses `encode`. An empty text is no activity."""
        if not text:
            return cls()
        seconds, spans = json.loads(text)
        return cls(seconds, {number: Counts(*counts) for number, *counts in spans})
