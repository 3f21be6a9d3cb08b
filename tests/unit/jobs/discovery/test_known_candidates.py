"""A refresh recognises what the dataset knows, and remembers what sources list."""

import numpy as np
import pytest

from shared.errors import Damaged
from shared.jobs.discovery.known_candidates import KnownCandidates, _keys_of
from shared.records.candidates import Candidate, Provenance

ADDRESS = "http://x/1.jpg"


def _known():
    return KnownCandidates(np.unique(np.array(_keys_of(ADDRESS, "pixabay", "7"), np.uint64)))


def _candidate(url, source_id=None):
    return Candidate(url, "cat", Provenance("pixabay", source_id=source_id))


def test_an_image_is_known_by_its_address_or_by_its_id():
    assert _known().note(_candidate("HTTP://X:80/1.jpg")) is True
    assert _known().note(_candidate("http://x/get/a-new-token.jpg", "7")) is True
    assert _known().note(_candidate("http://x/2.jpg", "8")) is None


def test_an_image_is_listed_for_the_first_time_only_once():
    known = _known()
    assert known.note(_candidate(ADDRESS, "7")) is True
    assert known.note(_candidate("http://x/get/a-new-token.jpg", "7")) is False
    assert known.note(_candidate(ADDRESS)) is False


async def test_the_marks_are_read_as_they_were_stored(flow):
    known = _known()
    known.note(_candidate(ADDRESS))
    await flow.blobs.put("keys", known.encode_keys())
    await flow.blobs.put("marks", known.encode_listed())
    again = await KnownCandidates.load(flow.blobs, "keys", "marks")
    assert again.note(_candidate(ADDRESS)) is False
    fresh = await KnownCandidates.load(flow.blobs, "keys", "")
    assert fresh.note(_candidate(ADDRESS)) is True


async def test_damaged_keys_are_found(flow):
    await flow.blobs.put("keys", _known().encode_keys()[:-1] + b"?")
    with pytest.raises(Damaged):
        await KnownCandidates.load(flow.blobs, "keys", "")
