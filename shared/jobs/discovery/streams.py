"""Makes a stream of each query of a job's sources, and decides which stream has the next turn.

Streams take turns, so that a label fills from all of its sources. The streams for variations of a label's keywords are
made when all other streams of the label have ended.
"""

import heapq
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from shared.clock import Clock
from shared.jobs.flow.rounds import oversampled
from shared.jobs.ledger.discovery import StreamState
from shared.jobs.spec.spec import JobSpec
from shared.records.candidates import Candidate
from shared.sources.source import Page, Query, Source, SourceConfig

# The notice to the job's owner leaves out shorter waits.
_SHORTEST_REPORTED_SECONDS = 2.0


@dataclass(slots=True)
class Stream:
    """One query of one source.

    Attributes:
        key: The position of the source in the spec, a colon, and the query's key. The state is stored under it.
        source: The source that is asked.
        query: What the source is asked for.
        limit: How many candidates the label takes from all streams together, or None for all.
        state: The cursor and what else is stored of the stream.
        variation: Whether the query is a variation of a keyword.
        kind: The source's type, as in the spec.
        pages: The source's generator of pages, if it has begun.
        page: The page that the stream holds, if any. The cursor in `state` is still before this page.
        untaken: The candidates of the page that are not taken yet.
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
    untaken: deque[Candidate] = field(default_factory=deque)

    @property
    def place(self) -> str:
        """The source's place in the spec, and its type: `sources.0 (urls)`."""
        return f"sources.{self.key.partition(':')[0]} ({self.kind})"


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A source that is ready to be asked, with its configuration and position in the spec."""

    position: int
    config: SourceConfig
    source: Source


class Streams:
    """Makes the streams of a job's sources.

    `states` has the stored states by stream key. `made` has all streams that were made so far.
    """

    def __init__(
        self, spec: JobSpec, sources: Sequence[OpenSource], states: Mapping[str, StreamState]
    ) -> None:
        self._spec = spec
        self._sources = sources
        self._states = states
        self.made: list[Stream] = []
        for opened in sources:
            self._make(opened, opened.source.queries(spec.labels), variation=False)

    def make_variations(self, label: str | None) -> Sequence[Stream]:
        """Makes and returns the streams for variations of a label's keywords. Call it once for each label."""
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
            most = None if limit is None else oversampled(limit)
            state = self._states.get(key) or StreamState()
            self.made.append(Stream(key, opened.source, query, most, state, variation, opened.config.type))


class Turns:
    """Gives turns to streams in rotation, and leaves out those that have ended or wait.

    Attributes:
        held_candidates: How many untaken candidates the streams in the rotation and the waiting streams hold.
        reason_changes: How often a pair of source type and reason has appeared among the waiting streams, or
            disappeared.
    """

    def __init__(
        self,
        streams: Iterable[Stream],
        clock: Clock,
        make_variations: Callable[[str | None], Sequence[Stream]],
    ) -> None:
        self.held_candidates = self.reason_changes = 0
        self._clock = clock
        self._make_variations = make_variations
        self._ready: deque[Stream] = deque()
        # A heap of: the moment at which the wait ends, the order of arrival, the stream.
        self._waiting: list[tuple[float, int, Stream]] = []
        self._arrivals = count()
        self._reasons: Counter[tuple[str, str]] = Counter()
        # How many streams of each label have not ended, without variations.
        self._open: Counter[str | None] = Counter()
        ended_labels: dict[str | None, None] = {}
        for stream in streams:
            if stream.state.ended:
                ended_labels[stream.query.label] = None
            else:
                self._open[stream.query.label] += 1
                self._enter(stream)
        for label in ended_labels:
            if not self._open[label]:
                self._begin_variations(label)

    @property
    def wait_seconds(self) -> float | None:
        """How many seconds it is until a stream can have its turn; None if all streams have ended."""
        if self._ready:
            return 0.0
        return max(0.0, self._waiting[0][0] - self._clock.monotonic()) if self._waiting else None

    def take(self) -> Stream | None:
        """Returns the stream that has its turn now, or None if all have ended or wait.

        The caller gives the stream back by `put_back`.
        """
        while self._waiting and self._waiting[0][0] <= self._clock.monotonic():
            due = heapq.heappop(self._waiting)[2]
            self._count_reason(due, -1)
            due.state.wait_reason, due.state.wait_until = "", 0.0
            self._ready.append(due)
        if not self._ready:
            return None
        stream = self._ready.popleft()
        self.held_candidates -= len(stream.untaken)
        return stream

    def put_back(self, stream: Stream, wait_seconds: float) -> None:
        """Takes back a stream after its turn. Unless it has ended, its next turn is after `wait_seconds` or later."""
        self.held_candidates += len(stream.untaken)
        if wait_seconds < _SHORTEST_REPORTED_SECONDS:
            stream.state.wait_reason = ""
        if wait_seconds > 0:
            stream.state.wait_until = self._clock.now().timestamp() + wait_seconds
            self._wait(stream, wait_seconds)
        elif not stream.state.ended:
            self._ready.append(stream)
        elif not stream.variation:
            label = stream.query.label
            self._open[label] -= 1
            if not self._open[label]:
                self._begin_variations(label)

    def waits(self) -> Mapping[tuple[str, str], float]:
        """Returns, for each pair of source type and reason, the seconds until the first of its streams is due."""
        now = self._clock.monotonic()
        soonest: dict[tuple[str, str], float] = {}
        for until, _, stream in self._waiting:
            if stream.state.wait_reason:
                key, seconds = (stream.kind, stream.state.wait_reason), max(0.0, until - now)
                soonest[key] = min(seconds, soonest.get(key, seconds))
        return soonest

    def _begin_variations(self, label: str | None) -> None:
        for stream in self._make_variations(label):
            if not stream.state.ended:
                self._enter(stream)

    def _enter(self, stream: Stream) -> None:
        """Takes in a stream at the beginning of a slice. A wait that an earlier slice began goes on."""
        seconds = stream.state.wait_until - self._clock.now().timestamp()
        if seconds > 0:
            self._wait(stream, seconds)
        else:
            stream.state.wait_reason = ""
            self._ready.append(stream)

    def _wait(self, stream: Stream, seconds: float) -> None:
        self._count_reason(stream, 1)
        heapq.heappush(self._waiting, (self._clock.monotonic() + seconds, next(self._arrivals), stream))

    def _count_reason(self, stream: Stream, change: int) -> None:
        """Notes that a stream begins (1) or ends (-1) to wait, unless its wait is too short to have a reason."""
        key = stream.kind, stream.state.wait_reason
        if stream.state.wait_reason:
            before = self._reasons[key]
            self._reasons[key] += change
            self.reason_changes += not before or not self._reasons[key]
