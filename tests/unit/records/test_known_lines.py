"""A refresh takes over the outcomes that would be the same again."""

import pytest

from shared.records.delivered import encode_delivered
from shared.records.known_lines import read_known_lines
from shared.records.records import Reason


async def _pieces(data):
    yield data


@pytest.mark.parametrize("reason", list(Reason))
async def test_candidates_whose_outcome_depends_on_the_day_or_on_other_images_are_tried_again(reason):
    line = {"index": 0, "label": "cat", "url": "https://a/1.jpg", "source": "urls"}
    data = encode_delivered([line | {"outcome": "rejected", "reason": str(reason)}])
    [[known]] = [lines async for lines in read_known_lines(_pieces(data), "d")]
    again = reason.transient or reason in {Reason.ROBOTS_DENIED, Reason.PERCENTILE_FILTERED}
    assert known.is_final(check=False) is not again


async def test_a_refresh_takes_over_embeddings_and_the_name_of_their_model():
    line = {"index": 0, "label": "cat", "url": "https://a/1.jpg", "source": "urls", "outcome": "kept"}
    facts = {"format": "jpeg", "width": 9, "height": 9, "size_bytes": 9, "sha256": "ab", "crc32": 1}
    data = encode_delivered([line | facts | {"relevance": 0.25, "scorer": "m", "embedding": "ADw="}])
    [[known]] = [lines async for lines in read_known_lines(_pieces(data), "d")]
    assert known.known.facts is not None
    assert (known.known.facts.scorer, known.known.facts.embedding) == ("m", "ADw=")
