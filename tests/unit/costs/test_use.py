"""What a job uses grows with its candidates and bytes, and costs what the price file says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.costs.prices import default_prices, read_prices
from shared.costs.storage import GB
from shared.costs.use import (
    A_CHUNK,
    A_GB,
    A_JOB,
    Use,
    execution_cost,
    execution_cost_after_free,
    gb_seconds,
    logs_cost,
    polls_a_month,
    transactions_cost,
    use_of_job,
)

PRICES = read_prices(
    {
        "date": "2026-11-29",
        "tiers": {"hot": {"reads_per_10000": 1, "writes_per_10000": 10}},
        "other_blob_operations_per_10000": 100,
        "blob_lists_per_10000": 1_000,
        "queue_operations_per_10000": 10_000,
        "table_operations_per_10000": 100_000,
        "functions": {
            "gb_second": 2,
            "million_executions": 3,
            "free_gb_seconds_month": 100,
            "free_executions_month": 1_000_000,
        },
        "logs": {"ingestion_gb": 5},
    }
)
CANDIDATES = st.integers(0, 10**8)
SIZES = st.integers(0, 1 << 50)


def test_each_kind_of_call_has_its_price():
    use = Use(
        blob_reads=10_000,
        blob_writes=10_000,
        other_blob_calls=10_000,
        blob_lists=10_000,
        queue_calls=10_000,
        table_calls=10_000,
    )
    assert transactions_cost(PRICES, use) == 111_111
    assert use.transactions == 60_000


def test_executions_and_time_have_their_prices_and_their_free_parts():
    assert execution_cost(PRICES, 2_000_000, 150) == 6 + 300
    assert execution_cost_after_free(PRICES, 2_000_000, 150) == 3 + 100
    assert execution_cost_after_free(PRICES, 1_000_000, 100) == 0


def test_an_instance_has_two_gb_and_an_execution_lasts_for_a_second_at_least():
    assert gb_seconds(PRICES, Use(executions=10), 60) == 120
    assert gb_seconds(PRICES, Use(executions=100), 60) == 200


def test_logs_are_counted_in_gb_of_a_thousand_million_bytes():
    assert logs_cost(PRICES, 2_000_000_000) == 10


def test_a_month_of_polls_is_that_of_all_queues():
    assert polls_a_month(10, 0.5) == 10 * 2 * 86_400 * 30


def test_a_job_uses_what_it_uses_itself_and_by_chunk_and_by_gb():
    one = use_of_job(1, 0, 1024)
    assert one.executions == (A_JOB + A_CHUNK * 2).executions
    more = use_of_job(1 + 1024 * 1000, 1000 * GB, 1024)
    assert more.blob_writes - one.blob_writes == pytest.approx(
        1005 * A_CHUNK.blob_writes + 1000 * A_GB.blob_writes
    )


@given(CANDIDATES, CANDIDATES, SIZES, SIZES)
def test_more_candidates_and_more_bytes_never_use_less(first, second, small, large):
    few, many = sorted((first, second))
    small, large = sorted((small, large))
    less, more = use_of_job(few, small, 1024), use_of_job(many, large, 1024)
    prices = default_prices()
    assert transactions_cost(prices, less) <= transactions_cost(prices, more)
    assert less.executions <= more.executions
    assert less.core_seconds <= more.core_seconds
