"""The queries of a job's sources, and whose turn it is.

Queries take turns, so that a label fills from all of its sources. Variations of a label's keywords have their turn
when all of its other queries have ended.
"""

from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field

from shared.candidates import Candidate
from shared.clock import Clock
from shared.jobs.discovery_state import StreamState
from shared.sources.source import Page, Query, Source


@dataclass(slots=True)
class Stream:
    """One query of one source; `limit` is how many candidates its label takes.

    `page` is the page that it holds: what is `left` of it is to be taken, and the cursor is still before it.
    """

    key: str
    source: Source
    query: Query
    limit: int | None
    state: StreamState
    variation: bool = False
    pages: AsyncGenerator[Page] | None = None
    page: Page | None = None
    left: deque[Candidate] = field(default_factory=deque)


class Turns:
    """Whose turn it is: round and round, without those that have ended or wait.

    `held` is how many candidates those hold whose turn it is not.
    """

    def __init__(self, streams: Iterable[Stream], clock: Clock) -> None:
        self.held = 0
        self._clock = clock
        self._turn: deque[Stream] = deque()
        self._waiting: list[tuple[float, Stream]] = []
        self._variations: dict[str | None, list[Stream]] = {}
        self._open: Counter[str | None] = Counter()
        for stream in streams:
            if stream.state.ended:
                continue
            if stream.variation:
                self._variations.setdefault(stream.query.label, []).append(stream)
            else:
                self._open[stream.query.label] += 1
                self._turn.append(stream)
        for label in [label for label in self._variations if not self._open[label]]:
            self._turn.extend(self._variations.pop(label))

    def take(self) -> Stream | None:
        """Who is next; None where all have ended, or all that have not are waiting."""
        if self._waiting:
            now = self._clock.monotonic()
            self._turn.extend(stream for until, stream in self._waiting if until <= now)
            self._waiting = [(until, stream) for until, stream in self._waiting if until > now]
        if not self._turn:
            return None
        stream = self._turn.popleft()
        self.held -= len(stream.left)
        return stream

    def put_back(self, stream: Stream, wait_seconds: float | None) -> None:
        """The stream had its turn; it wants to wait for so long before the next, or has ended."""
        self.held += len(stream.left)
        if wait_seconds is not None:
            self._waiting.append((self._clock.monotonic() + wait_seconds, stream))
        elif not stream.state.ended:
            self._turn.append(stream)
        elif not stream.variation:
            label = stream.query.label
            self._open[label] -= 1
            if not self._open[label]:
                self._turn.extend(self._variations.pop(label, ()))

    @property
    def wait_seconds(self) -> float | None:
        """How long it is until it is somebody's turn; None where all have ended."""
        if self._turn:
            return 0.0
        if not self._waiting:
            return None
        return max(0.0, min(until for until, _ in self._waiting) - self._clock.monotonic())
