"""Answers of a search service that wants them to be kept for a while, so that nobody asks twice."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import Clock
from shared.errors import NotFound
from shared.sources.fields import mapping_of
from shared.storage.blobs import BlobStore

_KEPT = timedelta(hours=24)
_PLACE_DIGITS = 3  # hexadecimal: 4,096 places


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """The answers of `service` by what it was asked, for 24 hours.

    They are kept in 4,096 blobs at most, each of which holds the newest answer of those that fall together there; so
    nothing has to be cleared away.
    """

    service: str
    blobs: BlobStore
    clock: Clock

    async def get(self, params: Mapping[str, str]) -> Mapping[str, object] | None:
        """The answer that was put for these parameters less than 24 hours ago; None where there is none."""
        try:
            kept = mapping_of(json.loads(await self.blobs.get(self._place(params))))
            age = self.clock.now() - datetime.fromisoformat(str(kept.get("at")))
        except (NotFound, ValueError, TypeError):  # nothing, or nothing of ours
            return None
        answer = kept.get("answer")
        if kept.get("params") != dict(params) or age >= _KEPT or not isinstance(answer, dict):
            return None
        return answer

    async def put(self, params: Mapping[str, str], answer: Mapping[str, object]) -> None:
        """Keep an answer. `params` must hold no key."""
        kept = {"at": self.clock.now().isoformat(), "params": dict(params), "answer": answer}
        await self.blobs.put(self._place(params), json.dumps(kept).encode())

    def _place(self, params: Mapping[str, str]) -> str:
        asked = json.dumps(sorted(params.items())).encode()
        return f"answers/{self.service}/{hashlib.sha256(asked).hexdigest()[:_PLACE_DIGITS]}.json"
