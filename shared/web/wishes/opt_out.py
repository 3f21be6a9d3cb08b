"""Reads opt-outs: what pages and servers declare against the use of their pictures in datasets."""

from collections.abc import Iterable, Iterator

from shared.records.records import Reason, Rejected
from shared.web.wishes.robots_text import product_token

AGENT_TOKEN = "pixcrawler"  # noqa: S105 - our product token in robots.txt and X-Robots-Tag, no secret
_OPT_OUTS = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})


def directives(robots_tags: Iterable[str]) -> frozenset[str]:
    """Returns the directives that concern us in the values of X-Robots-Tag headers or robots meta elements."""
    return frozenset(directive for value in robots_tags for directive in _directives(value))


def refusal_in(found: frozenset[str]) -> str | None:
    """Returns the directive that forbids the use of a page or image in datasets, or None if no directive does."""
    return min(found & _OPT_OUTS, default=None)


def forbids_following(found: frozenset[str]) -> bool:
    """Whether the directives ask not to follow a page's links."""
    return not found.isdisjoint({"nofollow", "none"})


def opted_out(robots_tags: Iterable[str], tdm_reservation: str | None) -> Rejected | None:
    """Returns a rejection if the response's headers forbid use in datasets.

    The headers are X-Robots-Tag (also scoped to our user agent) and `tdm-reservation: 1` (TDM Reservation Protocol).
    """
    if tdm_reservation is not None and tdm_reservation.strip() == "1":
        return Rejected(Reason.OPTED_OUT, "tdm-reservation")
    refusal = refusal_in(directives(robots_tags))
    return Rejected(Reason.OPTED_OUT, f"X-Robots-Tag: {refusal}") if refusal else None


def _directives(value: str) -> Iterator[str]:
    """Yields the directives of a header value that concern us: those for no named agent, and those for ours."""
    concerned = True
    for part in value.lower().split(","):
        name, colon, rest = (piece.strip() for piece in part.partition(":"))
        # otherwise the colon is part of a date
        if colon and name not in _VALUED and len(name.split()) == 1:
            concerned = product_token(name) in {AGENT_TOKEN, "*"}
            name = rest
        if concerned:
            yield name
