"""Makes the columns of a few images from short rows."""

import numpy as np
from hypothesis import strategies as st

from shared.archiving.selection.columns import Columns
from shared.records.scores import SCORES

ROW = st.tuples(
    st.integers(0, 2),  # label
    st.integers(1, 4),  # pixels
    st.integers(1, 4),  # size
    st.integers(0, 5),  # content
    st.integers(0, 15),  # hash bits
)


def columns_of(rows) -> Columns:
    count = len(rows)
    array = np.array(rows, np.int64).reshape(count, 5)
    shas = b"".join(bytes([row[3]]) * 32 for row in rows)
    return Columns(
        index=np.arange(count, dtype=np.int64),
        label=array[:, 0].astype(np.int32),
        shard=np.zeros(count, np.int32),
        offset=np.zeros(count, np.int64),
        size=array[:, 2],
        crc32=np.zeros(count, np.uint32),
        pixels=array[:, 1],
        perceptual_hash=array[:, 4].astype(np.uint64) | np.uint64(1 << 63),  # none is flat
        sha256=np.frombuffer(shas, "V32"),
        extension=np.zeros(count, np.int8),
        sidecar_sizes=np.zeros((count, 0), np.int32),
        scores=np.zeros((count, len(SCORES)), np.float32),
        color=np.zeros(count, np.uint32),
        newest=np.zeros(count, np.int32),
        labels=("a", "b", "c"),
        shards=("s",),
    )
