"""Reads what pages and responses declare against the use of their images in datasets, in headers and meta elements."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.records.consent import Answer, Answers, Signal
from shared.records.reasons import opted_out
from shared.records.records import Rejected
from shared.web.wishes.respect import Respect
from shared.web.wishes.texts.preferences import Preference, preference_in
from shared.web.wishes.texts.robots_text import product_token

AGENT_TOKEN = "pixcrawler"  # noqa: S105 - our product token in robots.txt and X-Robots-Tag, no secret
_REFUSING = frozenset({"noai", "noimageai", "noml", "noindex", "noimageindex", "none"})
# some owners separate directives by spaces or semicolons, or quote them
_BETWEEN_WORDS = re.compile(r"[\s;\"']+")
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})


@dataclass(frozen=True, slots=True)
class Declared:
    """What an image's response, or a page and its response, declare: the values of all headers and meta elements.

    `robots_tags` are the values of X-Robots-Tag and of robots meta elements, `reservations` those of tdm-reservation,
    and `usages` those of Content-Usage.
    """

    robots_tags: Sequence[str]
    reservations: Sequence[str]
    usages: Sequence[str]

    def refusal(self, respect: Respect, answers: Answers) -> Rejected | None:
        """Returns why the image, or the page's images, may not be used. Notes the answer of each signal."""
        refusal = self._by_robots_tags(answers) if respect.robots_tags else None
        if refusal is None and respect.tdmrep:
            refusal = self._by_reservation(answers)
        if refusal is None and respect.aipref:
            refusal = self._by_usage(answers)
        return refusal

    def _by_robots_tags(self, answers: Answers) -> Rejected | None:
        if not self.robots_tags:
            answers.note(Signal.ROBOTS_TAGS, Answer.ABSENT)
            return None
        found = directives(self.robots_tags)
        forbidding = refusal_in(found)
        answers.note(Signal.ROBOTS_TAGS, _answer(found=bool(found), refused=forbidding is not None))
        return opted_out(Signal.ROBOTS_TAGS, forbidding) if forbidding is not None else None

    def _by_reservation(self, answers: Answers) -> Rejected | None:
        if not self.reservations:
            answers.note(Signal.TDMREP, Answer.ABSENT)
            return None
        values = {part.strip() for value in self.reservations for part in value.split(",")}
        answers.note(Signal.TDMREP, _answer(found=not values.isdisjoint("01"), refused="1" in values))
        return opted_out(Signal.TDMREP, "tdm-reservation: 1") if "1" in values else None

    def _by_usage(self, answers: Answers) -> Rejected | None:
        if not self.usages:
            answers.note(Signal.AIPREF, Answer.ABSENT)
            return None
        found = preference_in(self.usages)
        answers.note(Signal.AIPREF, found.answer)
        if found is Preference.DISALLOWED:
            return opted_out(Signal.AIPREF, "Content-Usage does not allow the training of AI")
        return None


def directives(robots_tags: Iterable[str]) -> frozenset[str]:
    """Returns the directives that concern us in the values of X-Robots-Tag headers or robots meta elements."""
    return frozenset(directive for value in robots_tags for directive in _directives(value))


def refusal_in(found: frozenset[str]) -> str | None:
    """Returns the directive that forbids the use of a page or image in datasets, or None if no directive does."""
    return min(found & _REFUSING, default=None)


def forbids_following(found: frozenset[str]) -> bool:
    """Whether the directives ask not to follow a page's links."""
    return not found.isdisjoint({"nofollow", "none"})


def _answer(*, found: bool, refused: bool) -> Answer:
    if refused:
        return Answer.REFUSED
    return Answer.ALLOWED if found else Answer.ABSENT


def _directives(value: str) -> Iterator[str]:
    """Yields the directives of a header value that concern us: those for no named agent, and those for ours."""
    concerned, after_date = True, False
    for part in value.lower().split(","):
        name, colon, rest = (piece.strip() for piece in part.partition(":"))
        # otherwise the colon is part of a date
        in_date = len(name.split()) > 1 or (after_date and name[-1:].isdigit())
        if colon and name not in _VALUED and not in_date:
            concerned = product_token(name) in {AGENT_TOKEN, "*"}
            name = rest
        after_date = name == "unavailable_after"
        if concerned:
            yield from _BETWEEN_WORDS.split(name)
