"""Runs the steps of jobs in memory: the app's own services, a worker without a network, and stores that fail."""

import asyncio
import gzip
import json
import random
from collections import Counter
from itertools import count
from typing import cast
from unittest.mock import patch

from shared.archiving.archiver import Archiver
from shared.archiving.planning.planner import PlanConfig
from shared.clock import Deadline
from shared.crawling.worker import ChunkWorker
from shared.datasets.catalog import Catalog
from shared.datasets.downloads import Downloads
from shared.errors import Unavailable
from shared.jobs.archive_step.archive import Archive
from shared.jobs.crawl import Crawl
from shared.jobs.discovery.discover import Discover
from shared.jobs.discovery.moved_images import MovedImages
from shared.jobs.discovery.run import DiscoveryParts
from shared.jobs.flow.dispatch import Dispatch
from shared.jobs.flow.job_watch import JobWatches
from shared.jobs.flow.owner_limits import OwnerLimits
from shared.jobs.flow.quotas import Quotas
from shared.jobs.flow.rounds import Rounds
from shared.jobs.flow.slots import Slots
from shared.jobs.flow.transitions import Transitions
from shared.jobs.flow.watchdog import Watchdog, WatchdogConfig
from shared.jobs.intake import Intake, Steps
from shared.jobs.job.keys import JobKeys
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, WEBHOOKS_QUEUE
from shared.jobs.ledger.job_data import JobData
from shared.jobs.retry import Retry
from shared.jobs.spec.spec import SpecReader
from shared.jobs.submission.producers import Producers
from shared.jobs.submission.refresh import RefreshDatasets
from shared.jobs.submission.spec_checks import SpecChecks
from shared.jobs.submission.submit import Submission, Submit
from shared.jobs.webhooks.announce import Deliveries
from shared.jobs.webhooks.body import WebhookBodies
from shared.jobs.webhooks.call import WebhookCaller
from shared.jobs.webhooks.delivery_store import DeliveryStore
from shared.jobs.webhooks.ends import AnnouncedEnds
from shared.jobs.webhooks.overdue import OverdueDeliveries
from shared.jobs.webhooks.send import SendWebhook
from shared.jobs.webhooks.signing_secrets import SigningSecrets
from shared.lifecycle.working_blobs import ClearWork, WorkingBlobs
from shared.runtime import Runtime
from shared.scoring.model_names import ModelNames
from shared.sources.registry import SourceRegistry
from shared.sources.source import SourceContext, SourceKind
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.storage.memory.queues import MemoryQueues
from shared.storage.storage import Storage
from shared.telemetry.recording import RecordingTelemetry
from shared.users.caller import TierName
from shared.users.metrics.activity import Activity
from shared.users.metrics.uses import Uses
from shared.users.quotas.usage import UsageStore
from shared.users.store import UserStore
from shared.users.tiers import DEFAULT_TIERS, Tiers
from shared.users.user import User
from shared.web.addresses.lookup import HostLookup
from shared.web.wishes.host_wishes import HostWishes
from tests.unit.in_memory import lists_of
from tests.unit.jobs.fake_source import FakeConfig, FakeSource, Faults
from tests.unit.jobs.fake_web import FakeWeb
from tests.unit.jobs.fake_worker import Crash, FakeWorker
from tests.unit.jobs.weather import Weather, stormy
from tests.unit.known_sources import KINDS
from tests.unit.manual_clock import ManualClock

QUEUES = (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE, WEBHOOKS_QUEUE)
WINDOW = 4
NO_MODELS = ModelNames()
_MAX_DELIVERIES = 5


class CountingIds:
    def __init__(self) -> None:
        self._numbers = count(1)

    def job_id(self) -> str:
        return f"job{next(self._numbers)}"

    def nonce(self) -> str:
        return f"n{next(self._numbers)}"


async def _resolve(host: str) -> list[str]:
    raise OSError(f"no test looks up {host}")


class Flow:
    """All steps of jobs, and methods that handle the queues' messages until there are none."""

    def __init__(
        self,
        *,
        window: int = WINDOW,
        running_jobs: int = 10,
        archives: PlanConfig | None = None,
        chunk_size: int = 20,
        tiers: Tiers = DEFAULT_TIERS,
        queue_users: tuple[str, bool] = ("admin", False),
        models: ModelNames = NO_MODELS,
        watch_seconds: float = 0.01,
    ) -> None:
        self.telemetry, self.clock, self.ids = RecordingTelemetry(), ManualClock(), CountingIds()
        self.blobs, self.entities, self.queues = MemoryBlobs(self.clock), MemoryEntities(), MemoryQueues()
        self.weather, self.web, self.source = Weather(), FakeWeb(), Faults()
        blobs, entities = stormy(self.blobs, self.weather), stormy(self.entities, self.weather)
        queues = stormy(self.queues, self.weather)
        clock, runtime = self.clock, Runtime(self.clock, self.ids, self.telemetry)
        self.kinds = {
            **KINDS,
            "fake": SourceKind(FakeConfig, lambda config, _: FakeSource(config, self.source)),
        }
        sources = SourceRegistry(self.kinds, SourceContext(self.web, blobs, clock, HostWishes.over(self.web)))
        self.specs = SpecReader(sources)
        self.data = JobData.over(Storage(blobs, entities, queues), self.specs)
        self.jobs, self.ledger = self.data.jobs, self.data.ledger
        self.users, self.usage = UserStore(entities), UsageStore(entities)
        self._limits = limits = OwnerLimits(self.users, tiers, running_jobs)
        self.slots = Slots(entities, self.jobs, queues, limits)
        self.quotas = Quotas(self.usage, limits, self.jobs, runtime)
        self.catalog = Catalog(entities, blobs)
        self.downloads = Downloads(self.catalog, blobs, clock, link_seconds=3600)
        rounds = Rounds(self.data)
        self.transitions = Transitions(self.data, self.slots, self.quotas, rounds, runtime)
        self.worker = FakeWorker(blobs, self.weather)
        self.keys = JobKeys(entities, self.jobs)
        lists = lists_of(self.data.storage)
        checks = SpecChecks(self.catalog, lists, HostLookup(allow_private=False, resolve=_resolve), models)
        self.submit = Submit(self.data, self.keys, self.specs, checks, self.quotas, runtime)
        dispatch = Dispatch(self.ledger, queues, window)
        moved = MovedImages(self.catalog, blobs)
        watches = JobWatches(self.jobs, clock, every_seconds=watch_seconds)
        parts = DiscoveryParts(self.data, dispatch, rounds, moved, watches, runtime, chunk_size)
        self.discover = Discover(parts, self.transitions, sources, clock.sleep)
        worker = cast("ChunkWorker", self.worker)
        self.crawl = Crawl(self.data, dispatch, self.transitions, worker, runtime, watches)
        self.archiver = Archiver(self.data.storage, runtime, archives)
        self.archive = Archive(self.data, self.transitions, self.archiver, self.catalog, watches)
        self.retry, self.refresh = (
            Retry(self.data, self.catalog, self.quotas, clock),
            RefreshDatasets(self.data, self.catalog, self.specs, checks, self.quotas, runtime),
        )
        self.secrets = SigningSecrets(entities, clock)
        self.deliveries = Deliveries(DeliveryStore(entities), self.secrets, queues, clock)
        bodies = WebhookBodies(self.ledger, self.catalog, self.retry.is_possible)
        self.ends = AnnouncedEnds(self.jobs, bodies, self.deliveries)
        caller = WebhookCaller(self.web, self.secrets, clock)
        self.webhooks = SendWebhook(self.ends, self.deliveries, caller, runtime, lambda: 0.0)
        self.overdue = OverdueDeliveries(self.deliveries, self.webhooks, runtime)
        config = WatchdogConfig()
        self.watchdog = Watchdog(self.data, dispatch, self.transitions, self.quotas, runtime, config)
        uses = Uses(self.users, Activity(entities, clock), self.telemetry, "test")
        producers = Producers(limits, *queue_users)
        steps = Steps(self.submit, self.discover, lambda: self.crawl, lambda: self.archive)
        self.intake = Intake(steps, self.watchdog, self.jobs, self.telemetry, producers, uses)
        self._runtime = runtime
        self._deliveries: Counter[tuple[str, str]] = Counter()
        self._handled: set[str] = set()

    def deadline(self, seconds: float = 1000.0) -> Deadline:
        return Deadline.after(self.clock, seconds)

    async def clear_work(self, *, retention_days: int = 7) -> None:
        """Does what the nightly run does with the working blobs of jobs that ended so many days ago."""
        working = WorkingBlobs(self.data, self.catalog, self._runtime, retention_days=retention_days)
        assert await working.handle(ClearWork(), self.deadline()) is None

    async def send(self, data: object, user_id: str = "admin"):
        return await self.submit.run(Submission(user_id, self.specs.parse(data)))

    async def add_user(self, user_id: str, tier: TierName = TierName.FREE) -> User:
        return await self.users.create(User(user_id, user_id, tier, self.clock.now()))

    async def job(self, job):
        """Returns the stored job."""
        return await self.jobs.require(job.user_id, job.id)

    async def cancel(self, job):
        return await self.transitions.cancel(await self.job(job))

    async def handle(self, queue: str, text: str, number: int = 0) -> None:
        if queue == JOBS_QUEUE:
            await self.intake.handle_job(f"m{number}", text, self.deadline())
        elif queue == CHUNKS_QUEUE:
            again = text in self._handled
            self._handled.add(text)
            await self.intake.handle_chunk(text, self.deadline(), redelivered=again)
        elif queue == WEBHOOKS_QUEUE:
            await self.webhooks.run(text)
        else:
            await self.intake.handle_archive(f"m{number}", text, self.deadline())

    async def deliver(self, queue: str, text: str, *, keep: bool = False) -> None:
        """Handles a message as the host does: again after an error, and as poison after too many crashes."""
        if keep:
            self.put_back(queue, text)
        try:
            if self._deliveries[queue, text] < _MAX_DELIVERIES:
                await self.handle(queue, text)
            elif queue == CHUNKS_QUEUE:
                await self.intake.handle_poisoned_chunk(text)
        except Unavailable:
            self.put_back(queue, text)
        except Crash:
            self._deliveries[queue, text] += 1
            self.put_back(queue, text)

    async def tell(self, text: str) -> None:
        """Handles a message of `webhooks` as the host does: again after a failed call, and then as poison."""
        for _ in range(_MAX_DELIVERIES):
            try:
                await self.webhooks.run(text)
            except Unavailable:
                continue
            return
        await self.webhooks.give_up(text)

    async def delivery(self, job):
        """Returns the delivery of the job's last end, or None."""
        return await self.ends.delivery(await self.job(job))

    def put_back(self, queue: str, text: str) -> None:
        self.queues._waiting[queue].append(text)

    def take(self) -> list[tuple[str, str]]:
        """Takes all waiting messages."""
        return [(queue, text) for queue in QUEUES for text in self.queues.take(queue)]

    async def run(self, times: int = 1) -> None:
        """Handles messages until none waits, each `times` times. The clock advances by the delays of continuations."""
        send = self.queues.send

        async def in_time(queue: str, text: str, *, delay_seconds: float = 0.0) -> None:
            await send(queue, text, delay_seconds=delay_seconds)
            if queue in {JOBS_QUEUE, WEBHOOKS_QUEUE}:
                self.clock.advance(delay_seconds)

        with patch.object(self.queues, "send", in_time):
            for _ in range(500):
                taken = self.take()
                if not taken:
                    return
                for queue, text in taken:
                    for _ in range(times):
                        await (self.tell(text) if queue == WEBHOOKS_QUEUE else self.handle(queue, text))
        raise AssertionError("the queues never run empty: " + json.dumps(self.queues.sent)[-500:])

    async def storm(
        self, chance: random.Random, *, copies: bool, deaths: bool, at_once: int, rounds: int | None = None
    ) -> None:
        """Handles messages in random order until none waits: some twice, some at the same time, some with a crash.

        With `rounds` it stops after so many rounds, wherever it is.
        """
        self.weather.chance = chance if at_once > 1 else None
        for _ in range(5000 if rounds is None else rounds):
            waiting = self.take()
            if not waiting:
                break
            chance.shuffle(waiting)
            number = chance.randint(1, at_once)
            for queue, text in waiting[number:]:
                self.put_back(queue, text)
            if deaths and chance.random() < 0.3:
                self.weather.writes_left, self.weather.after = chance.randint(1, 8), chance.random() < 0.5
            await asyncio.gather(
                *(
                    self.deliver(queue, text, keep=copies and chance.random() < 0.15)
                    for queue, text in waiting[:number]
                )
            )
            self.weather.writes_left = -1
        else:
            assert rounds is not None, "the queues never run empty: " + json.dumps(self.queues.sent)[-500:]
        self.weather.chance = None

    async def delivered(self, job) -> dict[int, str]:
        """Returns the outcome of each candidate in the dataset's records: "kept" or a reason."""
        dataset = await self.catalog.require("admin", job.id)
        lines = gzip.decompress(await self.blobs.get(dataset.records_blob)).splitlines()
        records = {row["index"]: row.get("reason", row["outcome"]) for row in map(json.loads, lines)}
        assert len(records) == len(lines), "a candidate has two records"
        return records
