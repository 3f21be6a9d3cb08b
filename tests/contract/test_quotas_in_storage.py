"""Two instances hold the quota of a user together, and lose no reservation, whoever dies."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence

import pytest

from shared.clock import Deadline
from shared.errors import QuotaExceeded, Unavailable
from shared.jobs.submission.submit import Submission
from shared.settings import Settings
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.blobs import AzureBlobs
from shared.storage.azure.entities import AzureEntities
from shared.storage.memory.queues import MemoryQueues
from shared.telemetry.recording import RecordingTelemetry
from shared.users.caller import TierName
from shared.users.tiers import read_tiers
from shared.users.user import User
from shared.wiring import App
from tests.unit.jobs.weather import Weather, stormy
from tests.unit.known_sources import parse_spec
from tests.unit.manual_clock import ManualClock

SUBMITS, KILLS = 500, 20
TIERS = read_tiers({"free": {"jobs_at_once": 50, "images_per_month": 4000, "images_per_job": 100}})
SPEC = parse_spec({"keywords": ["cat"], "max_images_per_label": 100})


@pytest.fixture
def weather() -> Weather:
    return Weather()


@pytest.fixture
async def instances(connection_string: str, unique: str, weather: Weather) -> AsyncIterator[Sequence[App]]:
    """Two apps with connections of their own to the same storage, and one clock."""
    clock = ManualClock()
    made: list[App] = []
    stores: list[AzureBlobs | AzureEntities] = []
    for _ in range(2):
        app, account = App(Settings(tiers=TIERS)), StorageAccount(connection_string)
        blobs, entities = AzureBlobs(account, unique), AzureEntities(account)
        vars(app).update(
            blobs=stormy(blobs, weather),
            entities=stormy(entities, weather),
            queues=MemoryQueues(),
            telemetry=RecordingTelemetry(),
            clock=clock,
        )
        made.append(app)
        stores += [blobs, entities]
    await made[0].users.create(User(unique, "Ann", TierName.FREE, clock.now()))
    yield made
    for store in stores:
        await store.close()


async def _figures(app: App, user_id: str) -> tuple[int, int, int]:
    now = await app.usage.look_up(user_id, app.clock.now())
    return now.jobs_open, now.images_reserved, now.images_kept


async def test_two_instances_under_500_submits_at_once_do_not_overdraw(instances, unique):
    ends = await asyncio.gather(
        *(instances[number % 2].submit.run(Submission(unique, SPEC)) for number in range(SUBMITS)),
        return_exceptions=True,
    )
    jobs = [end for end in ends if not isinstance(end, BaseException)]
    refusals = [end for end in ends if isinstance(end, QuotaExceeded)]
    assert (len(jobs), len(refusals)) == (40, SUBMITS - 40)
    assert {refusal.limit for refusal in refusals} == {4000}
    assert await _figures(instances[0], unique) == (40, 4000, 0)
    await asyncio.gather(*(instances[number % 2].transitions.cancel(job) for number, job in enumerate(jobs)))
    assert await _figures(instances[1], unique) == (0, 0, 0)


async def test_no_reservation_is_lost_after_20_kills(instances, unique, weather):
    chance = random.Random(7)
    while weather.deaths < KILLS:
        weather.writes_left, weather.after = chance.randint(1, 12), chance.random() < 0.5
        ends = await asyncio.gather(
            *(app.submit.run(Submission(unique, SPEC)) for app in instances), return_exceptions=True
        )
        for end in ends:
            if not isinstance(end, BaseException):
                with_death = await asyncio.gather(
                    chance.choice(instances).transitions.cancel(end), return_exceptions=True
                )
                assert {type(each) for each in with_death if isinstance(each, BaseException)} <= {Unavailable}
        assert {type(end) for end in ends if isinstance(end, BaseException)} <= {Unavailable}
    weather.writes_left = -1
    app = instances[0]
    async for job in _open_jobs(app, unique):
        await app.transitions.cancel(job)
    app.clock.advance(3600)
    await app.watchdog.run(Deadline.after(app.clock, 240))
    assert await _figures(app, unique) == (0, 0, 0)
    assert [item async for item in app.usage.listed(app.clock.now()) if item.user_id == unique] == []


async def _open_jobs(app, user_id):
    for job in (await app.job_data.jobs.page(user_id, size=100)).items:
        if not job.state.terminal:
            yield job
