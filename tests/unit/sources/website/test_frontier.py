"""The frontier: the pages that a crawl has found and not yet visited."""

from shared.sources.website.frontier import Frontier, Visit
from tests.expect import present


def test_a_frontier_is_limited_in_number_and_in_length():
    frontier = Frontier(100)
    added = [frontier.add(Visit(f"https://example.org/{'x' * 1900}/{number}")) for number in range(100_000)]
    assert sum(added) == 350
    assert not frontier.add(Visit("https://example.org/" + "x" * 2000))
    large = Frontier(10_000)
    for number in range(30_000):
        large.add(Visit(f"https://example.org/{'x' * 1900}/{number}", 3))
    assert len(large.encode()) < 4_500_000


def test_encoding_and_decoding_a_frontier_changes_nothing():
    frontier = Frontier(10)
    for visit in (
        Visit("https://a/1"),
        Visit("https://a/2", 3, 1),
        Visit("https://a/ü", 1),
        Visit("https://a/m", 1, 0, True),
    ):
        assert frontier.add(visit)
    frontier.take(present(frontier.next))
    taken = present(frontier.next)
    frontier.take(taken)
    frontier.try_again(taken)
    frontier.not_before["a"] = 1.5
    again = Frontier.decode(frontier.encode(), 10)
    assert again.encode() == frontier.encode()
    assert (again.asked, again.sitemaps_asked) == (1, 1)
    for found in (frontier, again):
        assert [found.add(Visit(f"https://a/{name}")) for name in ("1", "2", "m", "new")] == [
            False,
            False,
            False,
            True,
        ]
