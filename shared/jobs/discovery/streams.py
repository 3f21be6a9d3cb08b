"""The queries of a job's sources, and whose turn it is.

Queries take turns, so that a label fills from all of its sources. Variations of a label's keywords have their turn
when all of its other queries have ended, and are not made before that.
"""

import heapq
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from shared.clock import Clock
from shared.jobs.ledger.discovery import StreamState
from shared.jobs.spec.spec import JobSpec
from shared.records.candidates import Candidate
from shared.sources.source import Page, Query, Source, SourceConfig

_SHORTEST_TOLD_SECONDS = 2.0
# so many candidates are taken for each image that is wanted, as some will be rejected
_OVERSAMPLING, _SPARE = 2, 20


@dataclass(slots=True)
class Stream:
    """One query of one source; `kind` is the source's type, and `limit` how many candidates the label takes.

    `page` is the page that it holds: what is `left` of it is to be taken, and the cursor is still before it.
    """

    key: str
    source: Source
    query: Query
    limit: int | None
    state: StreamState
    variation: bool = False
    kind: str = ""
    pages: AsyncGenerator[Page] | None = None
    page: Page | None = None
    left: deque[Candidate] = field(default_factory=deque)

    @property
    def place(self) -> str:
        """Where the spec names the source, and its type: `sources.0 (urls)`."""
        return f"sources.{self.key.partition(':')[0]} ({self.kind})"


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A source of the spec, and its position there."""

    position: int
    config: SourceConfig
    source: Source


class Streams:
    """Makes the streams of a job's sources. `made` has those so far; `states` has the saved states by stream key."""

    def __init__(
        self, spec: JobSpec, sources: Sequence[OpenSource], states: Mapping[str, StreamState]
    ) -> None:
        self._spec = spec
        self._sources = sources
        self._states = states
        self.made: list[Stream] = []
        for opened in sources:
            self._make(opened, opened.source.queries(spec.labels), variation=False)

    def vary(self, label: str | None) -> Sequence[Stream]:
        """Make and return the streams for variations of a label's keywords; to be called once for each label."""
        begin = len(self.made)
        texts = self._spec.variations.of(self._spec.labels[label]) if label in self._spec.labels else ()
        if label is not None and texts:
            for opened in self._sources:
                if opened.config.searches:
                    self._make(opened, opened.source.queries({label: texts}), variation=True)
        return self.made[begin:]

    def _make(self, opened: OpenSource, queries: Iterable[Query], *, variation: bool) -> None:
        for query in queries:
            key = f"{opened.position}:{query.key}"
            limit = self._spec.limit_of(query.label or "", searched=opened.config.searches)
            most = None if limit is None else limit * _OVERSAMPLING + _SPARE
            state = self._states.get(key) or StreamState()
            self.made.append(Stream(key, opened.source, query, most, state, variation, opened.config.type))


class Turns:
    """Whose turn it is: round and round, without those that have ended or wait.

    `held` is how many candidates those hold whose turn it is not. `vary` makes the streams of a label's variations.
    `changes` counts how often a pair of source and reason has appeared among those that wait, or disappeared.
    """

    def __init__(
        self, streams: Iterable[Stream], clock: Clock, vary: Callable[[str | None], Sequence[Stream]]
    ) -> None:
        self.held = self.changes = 0
        self._clock = clock
        self._vary = vary
        self._turn: deque[Stream] = deque()
        # a heap: until when a stream waits, then in which order they came
        self._waiting: list[tuple[float, int, Stream]] = []
        self._came = count()
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._open: Counter[str | None] = Counter()
        ended: dict[str | None, None] = {}
        for stream in streams:
            if stream.state.ended:
                ended[stream.query.label] = None
            else:
                self._open[stream.query.label] += 1
                self._enter(stream)
        for label in ended:
            if not self._open[label]:
                self._begin_variations(label)

    def take(self) -> Stream | None:
        """Who is next; None where all have ended, or all that have not are waiting."""
        while self._waiting and self._waiting[0][0] <= self._clock.monotonic():
            due = heapq.heappop(self._waiting)[2]
            self._count(due, -1)
            due.state.why, due.state.until = "", 0.0
            self._turn.append(due)
        if not self._turn:
            return None
        stream = self._turn.popleft()
        self.held -= len(stream.left)
        return stream

    def put_back(self, stream: Stream, wait_seconds: float) -> None:
        """The stream had its turn; it has ended, or has its next turn in `wait_seconds` at the earliest."""
        self.held += len(stream.left)
        if wait_seconds < _SHORTEST_TOLD_SECONDS:
            stream.state.why = ""
        self._count(stream, 1)
        if wait_seconds > 0:
            stream.state.until = self._clock.now().timestamp() + wait_seconds
            self._wait(stream, wait_seconds)
        elif not stream.state.ended:
            self._turn.append(stream)
        elif not stream.variation:
            label = stream.query.label
            self._open[label] -= 1
            if not self._open[label]:
                self._begin_variations(label)

    def waiting(self) -> Mapping[tuple[str, str], float]:
        """By kind of source and reason to wait: the seconds until the first of these streams has its turn."""
        now = self._clock.monotonic()
        soonest: dict[tuple[str, str], float] = {}
        for until, _, stream in self._waiting:
            if stream.state.why:
                key, left = (stream.kind, stream.state.why), max(0.0, until - now)
                soonest[key] = min(left, soonest.get(key, left))
        return soonest

    def _count(self, stream: Stream, number: int) -> None:
        """Note that a stream begins (1) or ends (-1) to wait for a reason that is told."""
        key = stream.kind, stream.state.why
        if stream.state.why:
            before = self._reasons[key]
            self._reasons[key] += number
            self.changes += not before or not self._reasons[key]

    @property
    def wait_seconds(self) -> float | None:
        """How long it is until it is somebody's turn; None where all have ended."""
        if self._turn:
            return 0.0
        return max(0.0, self._waiting[0][0] - self._clock.monotonic()) if self._waiting else None

    def _begin_variations(self, label: str | None) -> None:
        for stream in self._vary(label):
            if not stream.state.ended:
                self._enter(stream)

    def _enter(self, stream: Stream) -> None:
        """Give a stream its first turn in this slice; one that was told in an earlier slice to wait has it then."""
        left = stream.state.until - self._clock.now().timestamp()
        if left > 0:
            self._count(stream, 1)
            self._wait(stream, left)
        else:
            stream.state.why = ""
            self._turn.append(stream)

    def _wait(self, stream: Stream, seconds: float) -> None:
        heapq.heappush(self._waiting, (self._clock.monotonic() + seconds, next(self._came), stream))
