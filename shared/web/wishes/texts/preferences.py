"""Reads statements of preference: which uses of a file its owner allows.

Sources: draft-ietf-aipref-vocab-08 (14 September 2026) and draft-ietf-aipref-attach-05 (19 August 2026) for
Content-Usage; contentsignals.org for Content-Signal. Both are dictionaries of RFC 9651, and the drafts have changed
their words. So this reads the words of all versions, in any case, and passes over what it does not know.
"""

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final

from shared.records.consent import Answer

# the use of the images of a dataset, and then the uses that contain it in earlier versions of the vocabulary
_TRAINING: Final = frozenset({"train-ai", "ai-train", "train-genai", "genai"})
_CONTAINS_TRAINING: Final = frozenset({"bots", "tdm", "ai", "all"})


class Preference(IntEnum):
    """Whether the training of AI is allowed. Of several preferences, the largest counts."""

    UNKNOWN = 0
    ALLOWED = 1
    DISALLOWED = 2

    @property
    def answer(self) -> Answer:
        """The answer of the signal that states this preference."""
        return _ANSWERS[self]


_ANSWERS: Final = {
    Preference.UNKNOWN: Answer.ABSENT,
    Preference.ALLOWED: Answer.ALLOWED,
    Preference.DISALLOWED: Answer.REFUSED,
}
_VALUES: Final = {
    "y": Preference.ALLOWED,
    "yes": Preference.ALLOWED,
    "?1": Preference.ALLOWED,
    "n": Preference.DISALLOWED,
    "no": Preference.DISALLOWED,
    "?0": Preference.DISALLOWED,
}

# begins at the first of several spaces only, so that a line of spaces takes linear time
_EQUALS: Final = re.compile(r"(?<!\s)\s*+=\s*+")
_SEPARATORS: Final = re.compile(r"[\s,]+")


def preference_in(statements: Iterable[str]) -> Preference:
    """Returns what the statements say about the training of AI. The most restrictive statement counts.

    Within one statement, what it says of training itself has precedence over what it says of a use that contains it.
    """
    return max(map(_preference, statements), default=Preference.UNKNOWN)


def _preference(statement: str) -> Preference:
    stated = list(_members(statement))
    for words in (_TRAINING, _CONTAINS_TRAINING):
        found = max((preference for word, preference in stated if word in words), default=Preference.UNKNOWN)
        if found is not Preference.UNKNOWN:
            return found
    return Preference.UNKNOWN


def _members(statement: str) -> Iterator[tuple[str, Preference]]:
    """Yields each use of a statement. Parameters are passed over.

    Commas separate uses. Some owners use spaces instead.
    """
    for member in _SEPARATORS.split(_EQUALS.sub("=", statement.lower())):
        word, _, value = member.partition(";")[0].partition("=")
        yield word.strip(), _VALUES.get(value.strip().strip('"'), Preference.UNKNOWN)
