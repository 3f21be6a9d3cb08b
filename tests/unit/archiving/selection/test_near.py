"""All pairs of near hashes are found, and their groups are right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.archiving.selection import bands, near, similar
from shared.archiving.selection.near import near_between, near_pairs


def _collected(parts):
    return [pair for i, j in parts for pair in zip(i.tolist(), j.tolist(), strict=True)]


def _near_copies(rng, hashes, most_flips):
    for _ in range(most_flips):
        hashes = hashes ^ (np.uint64(1) << rng.integers(0, 64, len(hashes)).astype(np.uint64))
    return hashes


def _hashes(kind, count, rng):
    random = rng.integers(0, 2**64, count, dtype=np.uint64)
    match kind:
        case "random":
            return random
        case "clusters":
            return _near_copies(rng, random[rng.integers(0, max(1, count // 20), count)], 3)
        case "one cluster":
            return _near_copies(rng, np.full(count, random[0]), 4)
        case "one place":  # all agree in the bits of one band
            return random & ~np.uint64(0x9249_2492_4924_9249)
        case "few bits":
            return random & np.uint64(0xFFF)
        case "a chain":
            return np.uint64(1) << (np.arange(count) % 64).astype(np.uint64)
        case _:
            return np.full(count, random[0])


def _matrix(hashes, distance):
    near = np.bitwise_count(hashes[:, None] ^ hashes[None, :]) <= distance
    np.fill_diagonal(near, val=False)
    return near


KINDS = ["random", "clusters", "one cluster", "one place", "few bits", "a chain", "all equal"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distance", range(9))
def test_exactly_the_near_pairs_are_found(kind, distance, monkeypatch):
    monkeypatch.setattr(near, "_CROWD", 30)
    monkeypatch.setattr(near, "_PART", 1000)
    monkeypatch.setattr(bands, "_FLIP", 0.0)  # so that few hashes are divided into bands, too
    monkeypatch.setattr(bands, "_ENTRY", 0.0)
    rng = np.random.default_rng(distance)
    for count in (0, 1, 2, 50, 400):
        hashes = _hashes(kind, count, rng) if count else np.empty(0, np.uint64)
        found = _collected(near_pairs(hashes, distance))
        expected = np.argwhere(np.triu(_matrix(hashes, distance)))
        assert len(found) == len(expected)
        assert set(found) == set(map(tuple, expected.tolist()))
        half = count // 2
        between = _collected(near_between(hashes[:half], hashes[half:], distance))
        expected = np.argwhere(_matrix(hashes, distance)[:half, half:])
        assert len(between) == len(expected)
        assert set(between) == set(map(tuple, expected.tolist()))


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 300), max_size=60), st.integers(0, 8))
def test_exactly_the_near_pairs_of_any_hashes_are_found(hashes, distance):
    array = np.array(hashes, np.uint64)
    expected = np.argwhere(np.triu(_matrix(array, distance))).tolist()
    assert sorted(_collected(near_pairs(array, distance))) == [tuple(pair) for pair in expected]


def test_the_bands_for_many_hashes_find_every_near_pair():
    for distance in range(1, 9):
        chosen = bands.choose_bands(range(64), 10**6, 10**6, distance)
        assert chosen
        assert sum(band.radius + 1 for band in chosen) == distance + 1
        used = [bit for band in chosen for bit in band.bits]
        assert len(used) == len(set(used))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("most_pairs", [50, 1 << 22])
def test_leaders_are_those_that_a_loop_over_all_hashes_finds(kind, most_pairs, monkeypatch):
    monkeypatch.setattr(similar, "_MOST_PAIRS", most_pairs)
    rng = np.random.default_rng(1)
    for distance in (0, 2, 4, 8):
        hashes = np.unique(_hashes(kind, 500, rng))
        rng.shuffle(hashes)
        near_to = _matrix(hashes, distance)
        expected = np.arange(len(hashes))
        for position in range(len(hashes)):
            before = np.flatnonzero(
                near_to[position, :position] & (expected == np.arange(len(hashes)))[:position]
            )
            if len(before):
                expected[position] = before[0]
        assert similar.leaders(hashes, distance).tolist() == expected.tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("most_pairs", [50, 1 << 22])
def test_hashes_that_a_chain_connects_are_one_group(kind, most_pairs, monkeypatch):
    monkeypatch.setattr(similar, "_MOST_PAIRS", most_pairs)
    hashes = _hashes(kind, 400, np.random.default_rng(2))
    for distance in (0, 2, 4):
        near_to = _matrix(hashes, distance)
        expected = np.arange(len(hashes))
        for position in range(len(hashes)):
            if expected[position] == position:
                reached, frontier = {position}, [position]
                while frontier:
                    following = set(np.flatnonzero(near_to[frontier.pop()]).tolist()) - reached
                    reached |= following
                    frontier += following
                expected[list(reached)] = min(reached)
        assert similar.connected(hashes, distance).tolist() == expected.tolist()
