"""Writes Parquet lists with pyarrow, and reads them as a job does."""

import io

import pyarrow as pa
from pyarrow import parquet

from tests.unit.sources.lists.lists import read_list


def written(table, **options):
    out = io.BytesIO()
    parquet.write_table(table if isinstance(table, pa.Table) else pa.table(table), out, **options)
    return out.getvalue()


async def read_parquet_list(table, cursor=None, **options):
    """See `read_list`."""
    data = table if isinstance(table, bytes) else written(table, **options)
    return await read_list("inputs/list.parquet", data, cursor)
