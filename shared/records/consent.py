"""Defines what was looked for before an image was used: the signals, and the answer of each.

An image may be used if no signal refuses. A `Consent` is stored in every record, so its answers are one short text:
one character for each signal, in the order of `Signal`. New signals are added at the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType


class Signal(StrEnum):
    """A way to refuse the use of an image. The value is the name in `respect`, in reasons and in CONSENT.jsonl."""

    # robots.txt of the image's host: Disallow
    ROBOTS = "robots"
    # X-Robots-Tag, and the robots meta elements of the page
    ROBOTS_TAGS = "robots_tags"
    # tdmrep.json, its header, and its meta element
    TDMREP = "tdmrep"
    # Content-Usage, as a header and in robots.txt
    AIPREF = "aipref"
    # Content-Signal in robots.txt
    CONTENT_SIGNALS = "content_signals"
    # licences in RSL that robots.txt, headers or pages name
    RSL = "rsl"
    # /ai.txt
    AI_TXT = "ai_txt"
    # the data mining property in the file's XMP
    IPTC = "iptc"
    # the assertions about training and mining in the file's C2PA manifest
    C2PA = "c2pa"
    # the operator's own list; it is the only one that no spec can turn off
    OPTOUTS = "optouts"


class Answer(StrEnum):
    """What a signal said. The value is the word in CONSENT.jsonl."""

    NOT_CHECKED = "not_checked"
    # it was looked for, and it is not there or says nothing about this use
    ABSENT = "absent"
    ALLOWED = "allowed"
    # its place could not be read
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"


_CODES = {
    Answer.NOT_CHECKED: "-",
    Answer.ABSENT: ".",
    Answer.ALLOWED: "y",
    Answer.UNAVAILABLE: "?",
    Answer.REFUSED: "n",
}
_ANSWERS = {code: answer for answer, code in _CODES.items()}
_STRICTNESS = {answer: rank for rank, answer in enumerate(Answer)}


@dataclass(frozen=True, slots=True)
class Consent:
    """The answers of all signals for one image, as `encode` writes them, and when the first of them was found.

    `checked_at` is an ISO time in UTC. Files of a whole host are kept for an hour, so their answers may be that old.
    """

    answers: str
    checked_at: str


@dataclass(slots=True)
class Answers:
    """Collects the answers of one image. If a signal answers several times, the strictest answer counts."""

    found: dict[Signal, Answer] = field(default_factory=dict)

    def note(self, signal: Signal, answer: Answer) -> None:
        """Notes an answer."""
        known = self.found.get(signal)
        if known is None or _STRICTNESS[answer] > _STRICTNESS[known]:
            self.found[signal] = answer


def consent_of(earlier: Consent | None, answers: Answers, checked_at: str) -> Consent | None:
    """Returns the consent of an image: the answers so far, with those that were found earlier and their time.

    It is None if nothing was looked for.
    """
    if not answers.found:
        return earlier
    if earlier is None:
        return Consent(encode(answers.found), checked_at)
    return Consent(encode(stricter(decode(earlier.answers), answers.found)), earlier.checked_at)


def encode(answers: Mapping[Signal, Answer]) -> str:
    """Encodes answers as one character for each signal. A signal that is not in the mapping was not checked."""
    return _encode(tuple(answers.items()))


@lru_cache(maxsize=4096)
def decode(code: str) -> Mapping[Signal, Answer]:
    """Decodes what `encode` encoded. Signals that were not checked and unknown characters are left out."""
    found = {
        signal: _ANSWERS[character]
        for signal, character in zip(Signal, code, strict=False)
        if _ANSWERS.get(character, Answer.NOT_CHECKED) is not Answer.NOT_CHECKED
    }
    return MappingProxyType(found)


def stricter(one: Mapping[Signal, Answer], other: Mapping[Signal, Answer]) -> Mapping[Signal, Answer]:
    """Returns the stricter answer of both for each signal."""
    both = Answers(dict(one))
    for signal, answer in other.items():
        both.note(signal, answer)
    return both.found


@lru_cache(maxsize=4096)
def _encode(answers: tuple[tuple[Signal, Answer], ...]) -> str:
    known = dict(answers)
    return "".join(_CODES[known.get(signal, Answer.NOT_CHECKED)] for signal in Signal)
