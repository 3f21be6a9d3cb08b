"""Says how much of Azure a job uses, and what that costs.

The figures by job, chunk and GB are those that `python -m bench costs` measured for real jobs (2026-11-29), rounded up.
The bench prints the measured ones beside these, so that one sees when the app uses more. Log bytes are those that
`docs/reference/telemetry.md` names.
"""

from dataclasses import astuple, dataclass
from math import ceil
from typing import Final

from shared.costs.prices import Prices
from shared.costs.storage import DAYS_A_MONTH, GB
from shared.storage.blobs import Tier

INSTANCE_GB: Final = 2.0
"""The memory of an instance: 2,048 MB. Azure charges for it while a function runs on the instance."""
_UNIT: Final = 10_000
_LOG_GB: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Use:
    """Executions, transactions of storage by kind, and seconds of one core.

    The kinds are those of Azure's price lists. Blobs are written in the Hot tier. Deleting them is free.
    """

    executions: float = 0.0
    blob_reads: float = 0.0
    blob_writes: float = 0.0
    other_blob_calls: float = 0.0
    blob_lists: float = 0.0
    queue_calls: float = 0.0
    table_calls: float = 0.0
    core_seconds: float = 0.0
    log_bytes: float = 0.0

    def __add__(self, other: "Use") -> "Use":
        return Use(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __mul__(self, times: float) -> "Use":
        return Use(*(times * value for value in astuple(self)))

    @property
    def transactions(self) -> float:
        """All transactions of storage."""
        blobs = self.blob_reads + self.blob_writes + self.other_blob_calls + self.blob_lists
        return blobs + self.queue_calls + self.table_calls


A_JOB: Final = Use(
    executions=2,
    blob_reads=120,
    blob_writes=8,
    other_blob_calls=4,
    blob_lists=1,
    queue_calls=6,
    table_calls=90,
    core_seconds=0.5,
    log_bytes=12_000,
)
"""What a job uses by itself: its discovery, its plan, and one part of its archive.

The images in the report and the preview take up to 100 of the reads: ten of each score, read with their neighbours.
"""
A_CHUNK: Final = Use(
    executions=1, blob_reads=3, blob_writes=4, queue_calls=4, table_calls=10, log_bytes=5_000
)
"""What each chunk of candidates uses: its message, its rows, and its blobs of candidates and records."""
A_CANDIDATE: Final = Use(core_seconds=0.003)
"""What each candidate uses: its download, with all checks, and its judgement."""
A_GB: Final = Use(
    executions=0.25, blob_reads=95, blob_writes=150, queue_calls=9, table_calls=50, core_seconds=13
)
"""What each GB of kept images uses, which is written twice and read once: into shards, and from these into the archive.

An archive is written in parts of 4 GB. Each part is one execution.
"""
_SMALL_CHUNKS: Final = 6
"""How many more chunks a job has than full ones: the first ones are small, and so are the last ones."""


def use_of_job(candidates: int, size_bytes: int, chunk_size: int) -> Use:
    """Returns what a job uses for this many candidates, of which it keeps images of this size together."""
    chunks = ceil(candidates / chunk_size) + min(_SMALL_CHUNKS, ceil(candidates / 256))
    return A_JOB + A_CHUNK * chunks + A_CANDIDATE * candidates + A_GB * (size_bytes / GB)


def gb_seconds(prices: Prices, use: Use, active_seconds: float) -> float:
    """Returns for how many GB-seconds Azure charges if one instance works for `active_seconds`.

    This is an upper bound: several executions that share an instance are charged for once, but here each one is at
    least as long as the shortest time that is charged for.
    """
    return INSTANCE_GB * max(active_seconds, use.executions * prices.functions.least_seconds_an_execution)


def transactions_cost(prices: Prices, use: Use) -> float:
    """Returns what the transactions of storage cost."""
    hot = prices.tiers[Tier.HOT]
    each = (
        use.blob_reads * hot.reads_per_10000,
        use.blob_writes * hot.writes_per_10000,
        use.other_blob_calls * prices.other_blob_operations_per_10000,
        use.blob_lists * prices.blob_lists_per_10000,
        use.queue_calls * prices.queue_operations_per_10000,
        use.table_calls * prices.table_operations_per_10000,
    )
    return sum(each) / _UNIT


def execution_cost(prices: Prices, executions: float, seconds_of_gb: float) -> float:
    """Returns what executions and GB-seconds cost, as if nothing in the month were free."""
    of_functions = prices.functions
    return executions * of_functions.million_executions / 1e6 + seconds_of_gb * of_functions.gb_second


def execution_cost_after_free(prices: Prices, executions: float, seconds_of_gb: float) -> float:
    """Returns what they cost if nothing else is executed in the month."""
    of_functions = prices.functions
    return execution_cost(
        prices,
        max(0.0, executions - of_functions.free_executions_month),
        max(0.0, seconds_of_gb - of_functions.free_gb_seconds_month),
    )


def logs_cost(prices: Prices, log_bytes: float) -> float:
    """Returns what the ingestion of logs costs, as if nothing in the month were free."""
    return log_bytes / _LOG_GB * prices.logs.ingestion_gb


def polls_a_month(queues: int, polling_seconds: float) -> float:
    """Returns how often an instance that waits asks its queues for messages in a month."""
    return queues * DAYS_A_MONTH * 86_400 / polling_seconds
