"""Measures what knowing and limiting the caller adds to a warm call: time, and calls of storage.

devhost runs two endpoints of the same handler: one for a user's key, and a public one without limits. Both read a page
of datasets from Azurite. The calls take turns, so that both meet the same noise of the machine.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from bench.processes import python
from bench.table import Figure, Table, verdict
from playground.azurite import ROOT, Azurite
from shared.clock import SystemClock
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.entities import AzureEntities
from shared.users.api_keys import ApiKey, read_key, write_key
from shared.users.caller import Scope, TierName
from shared.users.store import UserStore
from shared.users.user import User

_CALLS = 200
_WARM_UP_CALLS = 10
_KEY_ID = "key000"
_MOST_MILLISECONDS = 1.0
_MOST_STORAGE_CALLS = 1

_APP = """
import azure.functions as func
from functions.http.models.answers import DatasetAnswer, DatasetPage
from functions.http.call import Answer
from functions.http.declared import PUBLIC, Declared
from functions.http.endpoint import Endpoints
from shared.storage.azure.entities import AzureEntities
from shared.wiring import app as services

class Counting(AzureEntities):
    calls = 0

    def _table(self, name):
        Counting.calls += 1
        return super()._table(name)

vars(services())["entities"] = Counting(services().account)
endpoints = Endpoints()

async def page(call):
    found = await call.app.catalog.page("somebody")
    headers = {"X-Storage-Calls": str(Counting.calls)}
    Counting.calls = 0
    return Answer(DatasetPage(items=[DatasetAnswer.of(item) for item in found.items], next=None), headers=headers)

@endpoints.serve(Declared("GET", "known", {200: DatasetPage}))
async def known(call):
    return await page(call)

@endpoints.serve(Declared("GET", "public", {200: DatasetPage}, scope=PUBLIC, is_counted=False))
async def public(call):
    return await page(call)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(endpoints.blueprint)
"""


def run(rounds: int) -> Sequence[Table]:
    """Measures on Azurite in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder)
        app = root / "app"
        app.mkdir()
        (app / "function_app.py").write_text(_APP)
        (app / "host.json").write_text('{"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}')
        azurite = Azurite(root / "azurite")
        azurite.start()
        environment = {"AzureWebJobsStorage": azurite.connection_string, "PYTHONPATH": str(ROOT)}
        arguments = ["-m", "devhost", "--root", str(app), "--port", "0"]
        try:
            with python(arguments, "Listening on", root / "host.log", environment) as (_, line):
                return [asyncio.run(_measure(line.split()[-1], azurite.connection_string, rounds))]
        finally:
            azurite.stop()


async def _measure(url: str, connection_string: str, rounds: int) -> Table:
    added: list[float] = []
    without: list[float] = []
    more = 0
    entities = AzureEntities(StorageAccount(connection_string))
    async with aiohttp.ClientSession() as session:
        for number in range(rounds):
            key = await _key(UserStore(entities), f"{number:016}")
            with_key, plain, storage_calls = await _compare(session, url, key)
            added.append(with_key - plain)
            without.append(plain)
            more = max(more, storage_calls)
    await entities.close()
    time_added = Figure.of(added)
    rows = [
        (
            "time, median of a round",
            time_added.show(2, "ms"),
            Figure.of(without).show(2, "ms"),
            f"under {_MOST_MILLISECONDS:g} ms",
            verdict(time_added.median, _MOST_MILLISECONDS, at_least=False),
        ),
        (
            "calls of storage, most for one call",
            str(more),
            "1",
            f"at most {_MOST_STORAGE_CALLS}",
            verdict(more, _MOST_STORAGE_CALLS, at_least=False),
        ),
    ]
    heads = ("added by the key", "measured", "without a key", "target", "")
    return Table("A warm call with a key", heads, rows)


async def _key(users: UserStore, user_id: str) -> str:
    """Makes a user with a key. Each round has a user of its own, whose limit is not used up."""
    now = SystemClock().now()
    await users.create(User(user_id, "Bench", TierName.PRO, now))
    text = write_key(user_id, _KEY_ID, bytes(32))
    presented = read_key(text)
    digest = presented.digest if presented else ""
    await users.add_key(user_id, ApiKey(_KEY_ID, "", frozenset({Scope.READ}), digest, now))
    return text


async def _compare(session: aiohttp.ClientSession, url: str, key: str) -> tuple[float, float, int]:
    """Returns the median milliseconds with and without the key, and the most storage calls that the key added."""
    with_key: list[float] = []
    plain: list[float] = []
    most = 0
    for number in range(_WARM_UP_CALLS + _CALLS):
        taken, storage_calls = await _call(session, f"{url}/known", {"X-API-Key": key})
        taken_without, storage_calls_without = await _call(session, f"{url}/public", {})
        if number >= _WARM_UP_CALLS:
            with_key.append(taken)
            plain.append(taken_without)
            most = max(most, storage_calls - storage_calls_without)
    return Figure.of(with_key).median, Figure.of(plain).median, most


async def _call(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> tuple[float, int]:
    """Returns the milliseconds that a call takes, and the calls of storage that it makes."""
    began = time.perf_counter()
    async with session.get(url, headers=headers) as response:
        response.raise_for_status()
        await response.read()
    return 1000 * (time.perf_counter() - began), int(response.headers["X-Storage-Calls"])
