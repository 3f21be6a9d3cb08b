import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.archiving.layout.names import folder_names
from shared.archiving.options import Dedup
from shared.archiving.selection import bands, near, similar
from shared.archiving.selection.columns import Columns
from shared.archiving.selection.earlier import Earlier
from shared.archiving.selection.near import near_between, near_pairs
from shared.archiving.selection.select import REASONS, select
from shared.archiving.selection.split import assign_splits

ROW = st.tuples(
    st.integers(0, 2),  # label
    st.integers(1, 4),  # pixels
    st.integers(1, 4),  # size
    st.integers(0, 5),  # content
    st.integers(0, 15),  # hash bits
)


def _columns(rows) -> Columns:
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
        json=np.zeros(count, np.int32),
        text=np.zeros(count, np.int32),
        newest=np.zeros(count, np.int32),
        labels=("a", "b", "c"),
        shards=("s",),
    )


def _collected(parts):
    return [pair for i, j in parts for pair in zip(i.tolist(), j.tolist(), strict=True)]


def _distance(columns, left, right):
    return (int(columns.perceptual_hash[left]) ^ int(columns.perceptual_hash[right])).bit_count()


@given(st.lists(ROW, max_size=40), st.integers(0, 3), st.none() | st.integers(1, 5))
def test_no_two_selected_images_are_the_same_and_every_other_says_why(rows, distance, limit):
    columns = _columns(rows)
    selection = select(columns, Dedup(exact=True, near_distance=distance), limit)
    chosen = selection.rows.tolist()
    for position, left in enumerate(chosen):
        for right in chosen[:position]:
            assert bytes(columns.sha256[left]) != bytes(columns.sha256[right])
            assert _distance(columns, left, right) > distance
    for row, (verdict, twin) in enumerate(
        zip(selection.verdict.tolist(), selection.twin.tolist(), strict=True)
    ):
        reason = REASONS[verdict]
        if reason == "duplicate":
            assert bytes(columns.sha256[row]) == bytes(columns.sha256[twin])
        elif reason == "near_duplicate":
            assert _distance(columns, row, twin) <= distance
            better = (columns.pixels[twin], columns.size[twin]) >= (columns.pixels[row], columns.size[row])
            assert better or (limit is not None and REASONS[selection.verdict[twin]] is None)
    if limit is not None and chosen:
        assert np.bincount(columns.label[selection.rows]).max() <= limit


@given(st.lists(ROW, max_size=40), st.none() | st.integers(0, 3), st.integers(1, 5))
def test_no_image_is_missing_from_a_label_with_room_for_a_copy_that_is_not_in_the_dataset(
    rows, distance, limit
):
    columns = _columns(rows)
    selection = select(columns, Dedup(exact=True, near_distance=distance), limit)
    counts = np.bincount(columns.label[selection.rows], minlength=3)
    for row in range(len(rows)):
        stays = row
        while selection.twin[stays] >= 0:
            stays = int(selection.twin[stays])
        in_it = REASONS[selection.verdict[stays]] is None
        assert in_it or counts[columns.label[row]] == limit


@pytest.mark.parametrize(
    ("rows", "verdicts"),
    [
        ([(1, 1, 1, 2, 0x0F0F)], [None]),
        ([(1, 1, 1, 2, 0x0F0F), (2, 5, 5, 3, 0x0F0E)], ["near_duplicate", None]),  # the better copy comes in
        ([(1, 1, 1, 2, 0x0F0F), (1, 5, 5, 3, 0xF0F0_F0F0)], ["duplicate", None]),  # there is no room
    ],
)
def test_a_copy_of_an_image_that_is_over_its_limit_fills_another_label(rows, verdicts):
    full = [(0, 1, 1, 1, 0xFFFF_0000_0000), (0, 9, 9, 2, 0x0F0F)]
    selection = select(_columns([*full, *rows]), Dedup(), 1)
    found = [REASONS[verdict] for verdict in selection.verdict.tolist()]
    assert found == [None, "over_limit", *verdicts]


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
def test_near_pairs_are_all_and_only_the_near_ones(kind, distance, monkeypatch):
    monkeypatch.setattr(near, "_CROWD", 30)
    monkeypatch.setattr(near, "_PART", 1000)
    monkeypatch.setattr(bands, "_MASK", 0.0)  # so that bands are taken for few hashes too
    monkeypatch.setattr(bands, "_PLACE", 0.0)
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
def test_near_pairs_of_any_hashes_are_right(hashes, distance):
    array = np.array(hashes, np.uint64)
    expected = np.argwhere(np.triu(_matrix(array, distance))).tolist()
    assert sorted(_collected(near_pairs(array, distance))) == [tuple(pair) for pair in expected]


def test_bands_are_chosen_for_many_hashes_and_find_every_near_pair():
    for distance in range(1, 9):
        chosen = bands.choose_bands(range(64), 10**6, 10**6, distance)
        assert chosen
        assert sum(band.radius + 1 for band in chosen) == distance + 1
        used = [bit for band in chosen for bit in band.bits]
        assert len(used) == len(set(used))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("most_pairs", [50, 1 << 22])
def test_leaders_are_those_that_looking_at_one_after_the_other_finds(kind, most_pairs, monkeypatch):
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
def test_what_hangs_together_by_chains_is_one_group(kind, most_pairs, monkeypatch):
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


def _earlier(rows):
    shas = b"".join(bytes([row[0]]) * 32 for row in rows)
    return Earlier(
        ("d1",),
        np.zeros(len(rows), np.int32),
        np.arange(len(rows), dtype=np.int64),
        np.array([row[1] for row in rows], np.uint64) | np.uint64(1 << 63),
        np.frombuffer(shas, "V32"),
    )


@given(
    st.lists(ROW, max_size=30),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 255)), max_size=10),
    st.none() | st.integers(0, 2),
    st.booleans(),
)
def test_what_an_earlier_dataset_has_is_left_out(rows, known, distance, exact):
    columns, earlier = _columns(rows), _earlier(known)
    selection = select(columns, Dedup(exact=exact, near_distance=distance), None, earlier)
    for row in range(len(rows)):
        same = exact and any(sha == rows[row][3] for sha, _ in known)
        close = distance is not None and any((h ^ rows[row][4]).bit_count() <= distance for _, h in known)
        at, reason = int(selection.known[row]), REASONS[int(selection.verdict[row])]
        if same:
            assert reason == "duplicate"
            assert known[at][0] == rows[row][3]
        elif at >= 0:
            assert reason == "near_duplicate"
            assert (known[at][1] ^ rows[row][4]).bit_count() <= distance
        elif close:  # it is a copy of another one of the job
            assert reason == "duplicate"
            assert rows[int(selection.twin[row])][3] == rows[row][3]
        if reason is None:
            assert not same
            assert not close


SHARES = st.sampled_from(
    [
        {"train": 0.8, "val": 0.1, "test": 0.1},
        {"train": 0.5, "test": 0.5},
        {"train": 1 / 3, "val": 1 / 3, "test": 1 / 3},
        {"train": 0.0, "val": 0.9, "test": 0.1},
    ]
)


COUNTS = st.lists(st.integers(1, 9), max_size=30)
WEIGHTS = st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any)


def _labelled(counts):
    """So many images of each label, no two alike."""
    columns = _columns([(label, 1, 1, 0, 0) for label, count in enumerate(counts) for _ in range(count)])
    rng = np.random.default_rng(len(columns))
    columns.sha256 = np.frombuffer(rng.bytes(32 * len(columns)), "V32")
    columns.perceptual_hash = rng.integers(0, 2**64, len(columns), dtype=np.uint64)
    return columns


def _split_counts(columns, splits):
    """Images by label and split."""
    counts = np.zeros((int(columns.label.max(initial=-1)) + 1, 3), np.int64)
    np.add.at(counts, (columns.label, splits), 1)
    return counts


@given(COUNTS, WEIGHTS, st.integers(0, 3))
def test_splits_are_exact_over_all_labels_and_within_one_image_in_each(counts, weights, seed):
    columns = _labelled(counts)
    shares = np.array(weights) / sum(weights)
    named = dict(zip(("train", "val", "test"), shares.tolist(), strict=True))
    splits = assign_splits(columns, np.arange(len(columns)), named, seed, Dedup())
    again = assign_splits(columns, np.arange(len(columns)), named, seed, Dedup())
    found = _split_counts(columns, splits)
    assert splits.tolist() == again.tolist()
    assert (np.abs(found - np.outer(counts, shares)) < 1 + 1e-6).all()
    assert (np.abs(found.sum(axis=0) - sum(counts) * shares) < 1 - 1e-6).all()
    assert not found[:, shares == 0].any()


@pytest.mark.parametrize(("labels", "each"), [(1000, 5), (200, 4), (100, 15), (500, 1)])
def test_many_small_labels_get_the_splits_that_were_asked_for(labels, each):
    columns = _labelled([each] * labels)
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    splits = assign_splits(columns, np.arange(len(columns)), shares, 0, Dedup())
    count = labels * each
    assert np.bincount(splits).tolist() == [count * 8 // 10, count // 10, count // 10]


def test_shares_that_add_up_to_a_little_less_than_one_leave_no_image_to_an_unwanted_split():
    columns = _labelled([300_000])
    shares = {"train": 0.499999, "val": 0.0, "test": 0.499998}
    splits = assign_splits(columns, np.arange(len(columns)), shares, 0, Dedup())
    assert np.bincount(splits).tolist() == [150_000, 0, 150_000]


def test_another_seed_draws_other_splits():
    columns = _columns([(0, 1, 1, number, 0) for number in range(100)])
    halves = {"train": 0.5, "test": 0.5}
    drawn = [assign_splits(columns, np.arange(100), halves, seed, Dedup()).tolist() for seed in (0, 1)]
    assert drawn[0] != drawn[1]


def test_one_more_image_moves_few_others():
    columns = _columns([(0, 1, 1, number, 0) for number in range(201)])
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    without = assign_splits(columns, np.arange(200), shares, 0, Dedup())
    all_of_them = assign_splits(columns, np.arange(201), shares, 0, Dedup())
    assert np.count_nonzero(without != all_of_them[:200]) <= 3


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 20)), max_size=80), SHARES, st.integers(0, 3))
def test_near_duplicates_stay_in_one_split_and_shares_are_kept_as_far_as_they_allow(rows, shares, seed):
    groups = [group for _, group in rows]
    columns = _columns([(label, 1, 1, number % 256, 0) for number, (label, _) in enumerate(rows)])
    columns.perceptual_hash = (np.array(groups, np.uint64) + np.uint64(1)) * np.uint64(0x0F0F_3355_00FF_1235)
    splits = assign_splits(columns, np.arange(len(rows)), shares, seed, Dedup(near_distance=None))
    by_group: dict[int, set[int]] = {}
    for group, split in zip(groups, splits.tolist(), strict=True):
        by_group.setdefault(group, set()).add(split)
    assert all(len(found) == 1 for found in by_group.values())
    largest = max((groups.count(group) for group in groups), default=0)
    for number, share in enumerate(shares.values()):
        assert abs(splits.tolist().count(number) - len(groups) * share) <= max(1, largest)


def test_labels_that_are_one_group_each_are_divided_too():
    columns = _labelled([3] * 100)
    columns.perceptual_hash = np.repeat(columns.perceptual_hash[::3], 3)
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    splits = assign_splits(columns, np.arange(300), shares, 0, Dedup(near_distance=None))
    assert np.bincount(splits).tolist() == [240, 30, 30]


def test_single_images_make_up_for_groups():
    hashes = [1] * 7 + [0xFFFF << (number % 48) for number in range(93)]
    columns = _columns([(0, 1, 1, number, 0) for number in range(100)])
    columns.perceptual_hash = np.array(hashes, np.uint64)
    columns.perceptual_hash[7:] = np.random.default_rng(0).integers(2**62, 2**64, 93, dtype=np.uint64)
    shares = {"train": 0.8, "val": 0.1, "test": 0.1}
    splits = assign_splits(columns, np.arange(100), shares, 0, Dedup(near_distance=None))
    assert np.bincount(splits).tolist() == [80, 10, 10]
    assert len(set(splits[:7].tolist())) == 1


@given(st.lists(st.text(max_size=60), unique=True, max_size=20))
def test_labels_never_share_a_folder_and_folders_are_safe(labels):
    names = folder_names(labels)
    assert len({name.casefold() for name in names.values()}) == len(labels)
    for name in names.values():
        assert name
        assert name not in {".", ".."}
        assert not set(name) & set('<>:"/\\|?*\0\n')
        assert name == name.strip(" ")
        assert not name.endswith(".")
        assert len(name.encode()) <= 140


@pytest.mark.parametrize(
    "label", ["../../etc", "con", "NUL.txt", "a/b", ".", "..", "x" * 300, "🐈" * 80, "\u202eabc"]
)
def test_dangerous_labels_become_harmless_folders(label):
    name = folder_names([label])[label]
    assert "/" not in name
    assert name.lower().split(".")[0] not in {"con", "nul", ""}
    assert len(name.encode()) <= 140


@given(st.lists(ROW, max_size=40), st.integers(1, 5))
def test_the_limit_is_not_for_labels_that_stay_whole(rows, limit):
    columns = _columns(rows)
    nothing = Dedup(exact=False, near_distance=None)
    whole = select(columns, nothing, limit, whole_labels=("b",)).rows
    without, limited = select(columns, nothing, None).rows, select(columns, nothing, limit).rows
    is_b = columns.label == columns.labels.index("b")
    assert set(whole) == {*without[is_b[without]], *limited[~is_b[limited]]}
