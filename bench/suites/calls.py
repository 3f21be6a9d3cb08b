"""Measures what knowing and limiting the caller adds to a warm call: time, and calls of storage.

The same handler is called with a user's key, and as a public endpoint without limits. Both read a page of datasets from
Azurite. The calls take turns, so that both meet the same noise of the machine.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import azure.functions as func

from bench.table import Figure, Table, verdict
from functions.http import endpoint
from functions.http.answers import DatasetAnswer, DatasetPage
from functions.http.call import Answer, Call
from functions.http.declared import PUBLIC, Declared
from functions.http.endpoint import HttpFunction, http_function
from playground.azurite import Azurite
from shared.settings import Settings
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.entities import AzureEntities
from shared.storage.entities import Change, Entity
from shared.users.api_keys import ApiKey, read_key, write_key
from shared.users.caller import Scope, TierName
from shared.users.user import User
from shared.wiring import App

_CALLS = 200
_WARM_UP_CALLS = 10
_KEY_ID = "key000"
_MOST_MILLISECONDS = 1.0
_MOST_STORAGE_CALLS = 1
_CONTEXT = cast("func.Context", SimpleNamespace(trace_context=SimpleNamespace(trace_parent=None)))


class _CountingEntities(AzureEntities):
    """Counts the calls of table storage."""

    calls = 0

    async def get(self, table: str, partition: str, row: str) -> Entity | None:
        self.calls += 1
        return await super().get(table, partition, row)

    async def query(
        self, table: str, partition: str, *, after: str = "", before: str = ""
    ) -> AsyncIterator[Entity]:
        self.calls += 1
        async for entity in super().query(table, partition, after=after, before=before):
            yield entity

    async def apply(self, table: str, partition: str, changes: Sequence[Change]) -> Sequence[str]:
        self.calls += 1
        return await super().apply(table, partition, changes)


def run(rounds: int) -> Sequence[Table]:
    """Measures on Azurite in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        azurite = Azurite(Path(folder))
        azurite.start()
        try:
            return [asyncio.run(_measure(azurite.connection_string, rounds))]
        finally:
            azurite.stop()


async def _read(call: Call) -> Answer:
    """Answers a page of datasets."""
    page = await call.app.catalog.page("somebody")
    return Answer(DatasetPage(items=[DatasetAnswer.of(dataset) for dataset in page.items], next=None))


async def _measure(connection_string: str, rounds: int) -> Table:
    app = App(Settings())
    entities = _CountingEntities(StorageAccount(connection_string))
    vars(app).update(entities=entities)
    # functions take the app of their process from there
    cast("Any", endpoint).app = lambda: app
    known = http_function(Declared("GET", "x", {200: DatasetPage}), _read)
    public = http_function(Declared("GET", "x", {200: DatasetPage}, scope=PUBLIC, is_probe=True), _read)
    added: list[float] = []
    without: list[float] = []
    more = 0
    for number in range(rounds):
        key = await _key(app, f"{number:016}")
        with_key, plain, storage_calls = await _compare(entities, known, public, key)
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
    return Table(
        "A warm call with a key", ("added by the key", "measured", "without a key", "target", ""), rows
    )


async def _key(app: App, user_id: str) -> str:
    """Make a user with a key. Each round has a user of its own, whose limit is not used up."""
    now = app.clock.now()
    await app.users.create(User(user_id, "Bench", TierName.PRO, now))
    text = write_key(user_id, _KEY_ID, bytes(32))
    presented = read_key(text)
    digest = presented.digest if presented else ""
    await app.users.add_key(user_id, ApiKey(_KEY_ID, "", frozenset({Scope.READ}), digest, now))
    return text


async def _compare(
    entities: _CountingEntities, known: HttpFunction, public: HttpFunction, key: str
) -> tuple[float, float, int]:
    """Returns the median milliseconds with and without the key, and the most storage calls that the key added."""
    for _ in range(_WARM_UP_CALLS):
        await _call(known, key)
        await _call(public, "")
    with_key: list[float] = []
    plain: list[float] = []
    most = 0
    for _ in range(_CALLS):
        before = entities.calls
        with_key.append(await _call(known, key))
        between = entities.calls
        plain.append(await _call(public, ""))
        most = max(most, (between - before) - (entities.calls - between))
    return Figure.of(with_key).median, Figure.of(plain).median, most


async def _call(function: HttpFunction, key: str) -> float:
    """Returns the milliseconds that a call takes."""
    request = func.HttpRequest("GET", "http://localhost/x", headers={"X-API-Key": key}, body=b"")
    began = time.perf_counter()
    response = await function(request, _CONTEXT)
    taken = time.perf_counter() - began
    if response.status_code != 200:
        raise RuntimeError(f"The call was answered with {response.status_code}.")
    return 1000 * taken
