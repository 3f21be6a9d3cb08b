"""Datasets in memory whose tiers change by the clock, with the messages that follow them."""

import heapq
from itertools import count

from shared.clock import Deadline
from shared.datasets.catalog import Catalog
from shared.lifecycle.messages import TaskSender
from shared.lifecycle.moves.follow import FollowMoves
from shared.lifecycle.moves.moving import Moves
from shared.lifecycle.moves.rehydrating import Rehydrations
from shared.lifecycle.moves.requests import MoveRequests
from shared.lifecycle.task_queue import TaskQueue
from shared.storage.blobs import Tier
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.telemetry.recording import RecordingTelemetry
from tests.unit.datasets.made import MADE_AT, made
from tests.unit.in_memory import runtime_of
from tests.unit.manual_clock import ManualClock

FOLDER = "datasets/job_j/"
SHARDS = tuple(f"{FOLDER}shards/{number:05}.tar" for number in range(3))
SMALL = ("README.md", "ATTRIBUTION.md", "SHA256SUMS")
LINK_SECONDS = 3600.0


class DelayedMessages:
    """A queue whose messages come when their delay is over. `delays` has the delays of all that were sent.

    `wrote` is called after each message that was sent.
    """

    def __init__(self, clock):
        self.wrote = lambda: None
        self._clock = clock
        self._waiting = []
        self._numbers = count()
        self.delays = []

    async def send(self, _queue, body, *, delay_seconds=0.0):
        self.delays.append(delay_seconds)
        due = self._clock.seconds + delay_seconds
        heapq.heappush(self._waiting, (due, next(self._numbers), body))
        self.wrote()

    async def depth(self, _queue):
        return len(self._waiting)

    def lose_all(self):
        self._waiting = []

    def next(self):
        """Returns the next message, and advances the clock to the time when it comes."""
        due, _, body = heapq.heappop(self._waiting)
        self._clock.advance(max(0.0, due - self._clock.seconds))
        return body

    def __bool__(self):
        return bool(self._waiting)


class Announced:
    """Announces events: one for each key, as the real one does. `wrote` is called after each of them."""

    def __init__(self):
        self.wrote = lambda: None
        self.events = {}
        self.error = None

    async def announce(self, announcement):
        if self.error is not None:
            raise self.error
        self.events.setdefault(announcement.key, announcement)
        self.wrote()
        return announcement.key


class House:
    """A dataset of three shards with its small files, and everything that moves it."""

    def __init__(self, blobs=None, entities=None, clock=None):
        self.clock = clock or ManualClock(MADE_AT)
        self.blobs = blobs or MemoryBlobs(self.clock)
        self.entities = entities or MemoryEntities()
        self.telemetry = RecordingTelemetry()
        self.messages = DelayedMessages(self.clock)
        self.announced = Announced()
        self.start()

    def start(self):
        """Makes all services anew, as a process does that starts."""
        runtime = runtime_of(self.clock, self.telemetry)
        self.catalog = Catalog(self.entities, self.blobs)
        sender = TaskSender(self.messages)
        self.requests = MoveRequests(self.catalog, self.blobs, sender, runtime, link_seconds=LINK_SECONDS)
        follow = FollowMoves(
            self.catalog,
            Rehydrations(self.catalog, self.blobs, self.announced, runtime, "test"),
            Moves(self.catalog, self.blobs, runtime),
        )
        self.queue = TaskQueue([follow.kind], sender, self.telemetry)

    async def record(self, tier=Tier.HOT, **fields):
        """Records the dataset. Its shards are in this tier."""
        names = (*SHARDS, *(f"{FOLDER}{name}" for name in SMALL))
        for name in (*names, f"{FOLDER}records.jsonl.gz"):
            await self.blobs.put(name, name.encode())
        for name in SHARDS:
            await self.blobs.set_tier(name, tier)
        defaults = {"webhook_url": "https://example.org/hook", "format": "webdataset"}
        await self.catalog.put(made(tier=tier, blobs=names, **{**defaults, **fields}))

    async def dataset(self):
        return await self.catalog.require("ann", "j")

    async def tiers(self):
        infos = [await self.blobs.info(name) for name in SHARDS]
        return {info.tier for info in infos if info is not None}

    async def deliver(self, deadline_seconds=240.0):
        """Handles the next message."""
        await self.queue.run(self.messages.next(), Deadline.after(self.clock, deadline_seconds))

    async def run(self):
        """Handles all messages until none is left."""
        while self.messages:
            await self.deliver()

    def operations(self):
        """Returns the operations that are reported as completed."""
        return [signal.properties["operation"] for signal in self.telemetry.named("operation_completed")]

    def deadline(self):
        return Deadline.after(self.clock, 240.0)
