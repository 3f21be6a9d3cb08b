"""Checks the images of a chunk against what people have asked the operator not to use."""

import hashlib
from dataclasses import dataclass

from shared.optouts.matcher import DETAIL, OptOutMatcher
from shared.records.consent import Answer, Answers, Signal
from shared.records.facts import ImageFacts
from shared.records.reasons import opted_out
from shared.records.records import Rejected


@dataclass(frozen=True, slots=True)
class OptOutCheck:
    """The opt-outs that count for one chunk. Without a `matcher`, every image passes."""

    matcher: OptOutMatcher | None

    def by_address(self, answers: Answers, *addresses: str | None) -> Rejected | None:
        """Returns the rejection of an image with these addresses, or None. Notes the answer."""
        if self.matcher is None:
            return None
        return self._verdict(answers, refused=self.matcher.refuses_address(*addresses))

    def by_content(
        self, answers: Answers, data: bytes, facts: ImageFacts, found_hash: str = ""
    ) -> Rejected | None:
        """Returns the rejection of an image with these facts, which came as `data`, or None. Notes the answer.

        Somebody may have asked for the file as it came, or for the file as datasets have it. `found_hash` is the
        perceptual hash of the picture as it came, if the facts have that of a changed picture.
        """
        if self.matcher is None:
            return None
        refused = self.matcher.refuses_bytes(facts.sha256)
        refused = refused or self.matcher.refuses_perceptual_hash(facts.perceptual_hash)
        refused = refused or self.matcher.refuses_perceptual_hash(found_hash)
        if not refused and self.matcher.sha256:
            refused = self.matcher.refuses_bytes(hashlib.sha256(data).hexdigest())
        return self._verdict(answers, refused=refused)

    @staticmethod
    def _verdict(answers: Answers, *, refused: bool) -> Rejected | None:
        answers.note(Signal.OPTOUTS, Answer.REFUSED if refused else Answer.ABSENT)
        return opted_out(Signal.OPTOUTS, DETAIL) if refused else None
