"""Ranges of blobs that are near to each other are read by one call, within bounds."""

from dataclasses import dataclass

from shared.storage.joined_reads import Gaps, join_reads

GAPS = Gaps(most_bytes=100, waste_bytes=10)


@dataclass(frozen=True)
class Some:
    blob: str
    offset: int
    size: int


def joined(*ranges):
    reads = join_reads([Some(*one) for one in ranges], lambda one: one, GAPS)
    return [(read.blob, read.offset, read.size) for read in reads]


def test_neighbours_are_joined_by_blob_and_in_any_order():
    assert joined(("b", 5, 5), ("a", 30, 10), ("b", 0, 5), ("a", 20, 10)) == [("a", 20, 20), ("b", 0, 10)]


def test_gaps_are_bounded_by_what_is_used_and_the_waste():
    assert joined(("a", 0, 10), ("a", 30, 10)) == [("a", 0, 40)]
    assert joined(("a", 0, 10), ("a", 41, 10)) == [("a", 0, 10), ("a", 41, 10)]


def test_a_read_has_no_more_bytes_than_is_allowed_unless_one_range_has():
    assert joined(*(("a", 40 * n, 40) for n in range(4))) == [("a", 0, 80), ("a", 80, 80)]
    assert joined(("a", 0, 500), ("a", 500, 5)) == [("a", 0, 500), ("a", 500, 5)]


def test_overlapping_and_equal_ranges_are_read_once():
    assert joined(("a", 0, 50), ("a", 0, 50), ("a", 10, 10), ("a", 45, 10)) == [("a", 0, 55)]


def test_each_range_is_cut_out_of_what_was_read_even_if_the_blob_is_shorter():
    ranges = [Some("a", 10, 5), Some("a", 15, 5)]
    [read] = join_reads(ranges, lambda one: one, GAPS)
    assert [read.cut(b"abcdefg", one) for one in ranges] == [b"abcde", b"fg"]
