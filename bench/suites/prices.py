"""Says what jobs, datasets and an idle app cost at the prices of the price file. It computes, and measures nothing.

What jobs use is in `shared.costs.use`, as the suite `costs` measured it. `docs/explanation/costs.md` has these tables.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from bench.table import Table
from devhost.triggers.ncrontab import parse_schedule
from playground.azurite import ROOT
from shared.costs.prices import Prices, default_prices
from shared.costs.storage import GB, download, move, rehydration, saving_month, storage_month
from shared.costs.use import (
    Use,
    execution_cost,
    execution_cost_after_free,
    gb_seconds,
    logs_cost,
    polls_a_month,
    transactions_cost,
    use_of_job,
)
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, LIFECYCLE_QUEUE, WEBHOOKS_QUEUE
from shared.settings import Settings
from shared.storage.blobs import Priority, Tier

type _Row = tuple[str, str, str]
"""A name, an amount and a cost."""

SIZES: Final = (10_000, 1_000_000)
QUEUES: Final = tuple(
    name
    for queue in (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE, WEBHOOKS_QUEUE, LIFECYCLE_QUEUE)
    for name in (queue, f"{queue}-poison")
)
"""The queues that the host asks for messages."""
_IMAGE_BYTES: Final = 300_000
_CANDIDATES_AN_IMAGE: Final = 2
_SLOW_A_SECOND: Final = 25
_WORK_DAYS: Final = int(Settings.model_fields["work_retention_days"].default)
_CHUNK_SIZE: Final = int(Settings.model_fields["chunk_size"].default)
_SCHEDULES: Final = ("LIFECYCLE_SCHEDULE", "BUSINESS_METRICS_SCHEDULE", "WATCHDOG_SCHEDULE")
_ALERTS: Final = ROOT / "infra" / "modules" / "alerts.bicep"
_APP: Final = ROOT / "infra" / "modules" / "app.bicep"
_POLLING_SECONDS: Final = 60.0
"""The default of the platform."""
_MONTHS: Final = 12
# each has the days on which a dataset enters a tier
_POLICIES: Final = {
    "always in the Hot tier": {Tier.HOT: 0},
    "Cool after 30 days, Cold after 90 (`LIFECYCLE=online`)": {Tier.HOT: 0, Tier.COOL: 30, Tier.COLD: 90},
    "Cool after 30 days, Archive after 90 (the default)": {Tier.HOT: 0, Tier.COOL: 30, Tier.ARCHIVE: 90},
}


def run(rounds: int) -> Sequence[Table]:
    """Returns the tables, which are the same in each round."""
    del rounds
    return tables(default_prices())


def tables(prices: Prices) -> Sequence[Table]:
    """Returns the tables at these prices."""
    return [
        _by_size("What a job costs", prices, _job, "amount"),
        _by_size("What a dataset costs", prices, _dataset, "GB"),
        _years(prices),
        _archive_against_cold(prices),
        _idle(prices),
        _polls(prices),
        _most(prices),
    ]


def money(cost: float) -> str:
    """Returns a cost as text, with more digits for small costs."""
    digits = 2 if abs(cost) >= 1 or cost == 0 else 3 if abs(cost) >= 0.01 else 5
    return f"{cost:,.{digits}f}"


def _by_size(title: str, prices: Prices, rows: Callable[[Prices, int], Sequence[_Row]], amount: str) -> Table:
    """Returns a table with an amount and a cost for each size."""
    found = [rows(prices, images) for images in SIZES]
    heads = ["", *(head for images in SIZES for head in (f"{images:,} images: {amount}", prices.currency))]
    cells = [(each[0][0], *(cell for row in each for cell in row[1:])) for each in zip(*found, strict=True)]
    return Table(title, heads, cells, _basis(prices))


def _basis(prices: Prices) -> Sequence[str]:
    return ("", f"{prices.region}, {prices.redundancy}, {prices.date}. Nothing is free.")


def _job(prices: Prices, images: int) -> Sequence[_Row]:
    candidates = _CANDIDATES_AN_IMAGE * images
    use, hot = use_of_job(candidates, _bytes(images), _CHUNK_SIZE), prices.tiers[Tier.HOT]
    fast = gb_seconds(prices, use, use.core_seconds)
    slow = gb_seconds(prices, use, max(use.core_seconds, candidates / _SLOW_A_SECOND))
    without_time = execution_cost(prices, use.executions, 0) + transactions_cost(prices, use)
    without_time += logs_cost(prices, use.log_bytes)

    def calls(name: str, count: float, price: float) -> _Row:
        return name, f"{count:,.0f}", money(count * price / 10_000)

    return [
        ("executions", f"{use.executions:,.0f}", money(execution_cost(prices, use.executions, 0))),
        ("GB-seconds, limited by the processor", f"{fast:,.0f}", money(execution_cost(prices, 0, fast))),
        ("GB-seconds, at 25 candidates a second", f"{slow:,.0f}", money(execution_cost(prices, 0, slow))),
        calls("blob reads", use.blob_reads, hot.reads_per_10000),
        calls("blob writes", use.blob_writes, hot.writes_per_10000),
        calls("queue calls", use.queue_calls, prices.queue_operations_per_10000),
        calls("table calls", use.table_calls, prices.table_operations_per_10000),
        ("logs, MB", f"{use.log_bytes / 1e6:,.1f}", money(logs_cost(prices, use.log_bytes))),
        ("**together**, limited by the processor", "", money(without_time + execution_cost(prices, 0, fast))),
        (
            "**together**, at 25 candidates a second",
            "",
            money(without_time + execution_cost(prices, 0, slow)),
        ),
    ]


def _dataset(prices: Prices, images: int) -> Sequence[_Row]:
    size = _bytes(images)
    in_gb, deleted = f"{size / GB:,.1f}", _parameter("softDeleteDays")
    a_day = storage_month(prices, {Tier.HOT: size}) / 30
    return [
        *(
            (f"a month in the {tier.capitalize()} tier", in_gb, money(storage_month(prices, {tier: size})))
            for tier in Tier
        ),
        (f"its working files, for {_WORK_DAYS} days", in_gb, money(a_day * _WORK_DAYS)),
        (f"the same after their deletion, for {deleted} days", in_gb, money(a_day * deleted)),
        *(
            (
                f"one download from the {tier.capitalize()} tier",
                in_gb,
                money(download(prices, size, tier, 1)),
            )
            for tier in (Tier.HOT, Tier.COOL, Tier.COLD)
        ),
        *(
            (
                f"a rehydration with {priority} priority",
                in_gb,
                money(rehydration(prices, size, 1, priority)),
            )
            for priority in Priority
        ),
    ]


def _years(prices: Prices) -> Table:
    """Returns what a dataset of a million images costs in its first year, by policy."""
    size = _bytes(SIZES[-1])
    rows = []
    for name, entered in _POLICIES.items():
        days = [*entered.values(), 30 * _MONTHS]
        kept = moved = 0.0
        for at, tier in enumerate(entered):
            stay = days[at + 1] - days[at]
            kept += storage_month(prices, {tier: size}) * stay / 30
            if at + 1 < len(entered):
                moved += move(prices, size, 1, tier, list(entered)[at + 1], stay)
        last = list(entered)[-1]
        reads = [
            (download(prices, size, Tier.HOT, 1) + rehydration(prices, size, 1, priority))
            if last is Tier.ARCHIVE
            else download(prices, size, last, 1)
            for priority in Priority
        ]
        rows.append((name, money(kept), money(moved), *(money(kept + moved + read) for read in reads)))
    heads = ("", "storage", "moves", "with one download", "with one download within the hour")
    return Table("A year of a million images", heads, rows, _basis(prices))


def _archive_against_cold(prices: Prices) -> Table:
    """Returns how much more or less the Archive tier costs than the Cold tier, for a dataset of a million images."""
    size = _bytes(SIZES[-1])
    year = -_MONTHS * saving_month(prices, size, Tier.COLD, Tier.ARCHIVE)
    rows = [("a year of storage", money(year))]
    for priority in Priority:
        archived = rehydration(prices, size, 1, priority) + download(prices, size, Tier.HOT, 1)
        more = archived - download(prices, size, Tier.COLD, 1)
        rows.append((f"one download, after a rehydration with {priority} priority", money(more)))
    return Table("The Archive tier against the Cold tier", ("", prices.currency), rows, _basis(prices))


def _idle(prices: Prices) -> Table:
    """Returns what an app without work costs in a month: the runs of its timers, and the rules that watch it."""
    values = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    runs = {name: _runs_a_month(values[name]) for name in _SCHEDULES}
    total, rules = sum(runs.values()), _ALERTS.read_text().count("every: 'PT")
    seconds = gb_seconds(prices, Use(executions=total), 0)
    watched = rules * prices.log_alert_rule_month
    rows = [
        *((f"runs of `{name}`", f"{count:,}", "") for name, count in runs.items()),
        (
            "their GB-seconds, each run at its shortest",
            f"{seconds:,.0f}",
            money(execution_cost(prices, total, seconds)),
        ),
        ("rules of alerts", f"{rules}", money(watched)),
        ("**together**", "", money(watched + execution_cost(prices, total, seconds))),
        (
            "**together**, after the free part of the month",
            "",
            money(watched + execution_cost_after_free(prices, total, seconds)),
        ),
    ]
    return Table("An app without work, a month", ("", "amount", prices.currency), rows, _basis(prices))


def _polls(prices: Prices) -> Table:
    """Returns what the queues of an instance that waits cost in a month, by the interval of polls."""
    rows = []
    for name, seconds in (*_polling_seconds().items(), ("the platform's default", _POLLING_SECONDS)):
        polls = polls_a_month(len(QUEUES), seconds)
        cost = transactions_cost(prices, Use(queue_calls=polls))
        rows.append((f"{seconds:g} s ({name})", f"{polls:,.0f}", money(cost)))
    heads = ("maxPollingInterval", "polls", prices.currency)
    return Table(f"{len(QUEUES)} queues of an instance that waits, a month", heads, rows, _basis(prices))


def _most(prices: Prices) -> Table:
    """Returns what the limits of the deployment allow to be spent, at their defaults."""
    instances, gigabytes = _parameter("maximumInstanceCount"), _parameter("instanceMemoryMB") / 1024
    an_hour = instances * 3600 * gigabytes * prices.functions.gb_second
    logs = 30 * _parameter("telemetryDailyCapGb")
    rows = [
        ("an hour of all instances at work", f"{instances:,} instances", money(an_hour)),
        ("a day of all instances at work", f"{instances:,} instances", money(24 * an_hour)),
        ("a month of telemetry at its daily cap", f"{logs:,} GB", money(logs * prices.logs.ingestion_gb)),
    ]
    return Table(
        "What the limits of a deployment allow", ("", "amount", prices.currency), rows, _basis(prices)
    )


def _bytes(images: int) -> int:
    return _IMAGE_BYTES * images


def _parameter(name: str) -> int:
    """Returns the default of a parameter of the deployment, which is a whole number."""
    text = (ROOT / "infra" / "main.bicep").read_text()
    found = re.search(rf"^param {name} int = (\d+)$", text, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"infra/main.bicep has no {name}")
    return int(found[1])


def _runs_a_month(schedule: str) -> int:
    parsed = parse_schedule(schedule)
    at = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(seconds=1)
    end, count = at + timedelta(days=30), 0
    while (at := parsed.next_after(at)) <= end:
        count += 1
    return count


def _polling_seconds() -> Mapping[str, float]:
    """Returns the `maxPollingInterval` of the deployment and of host.json, which the former replaces."""
    deployed = re.search(r"__maxPollingInterval: '([\d:.]+)'", _APP.read_text())
    if deployed is None:
        raise RuntimeError(f"{_APP} has no maxPollingInterval")
    host = json.loads((ROOT / "host.json").read_text())
    return {
        "the deployment": _seconds(deployed[1]),
        "host.json": _seconds(host["extensions"]["queues"]["maxPollingInterval"]),
    }


def _seconds(text: str) -> float:
    hours, minutes, seconds = text.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
