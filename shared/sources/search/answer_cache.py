"""Keeps the answers of a search service whose terms require a cache."""

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
# three hexadecimal digits make 4,096 places
_PLACE_DIGITS = 3


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """Holds the answers of `service` by their parameters, for 24 hours.

    There are at most 4,096 blobs. Each holds the newest answer of those that share its place, so nothing must be
    cleared away.
    """

    service: str
    blobs: BlobStore
    clock: Clock

    async def get(self, params: Mapping[str, str]) -> Mapping[str, object] | None:
        """Returns the answer that was put for these parameters less than 24 hours ago, or None if there is none."""
        try:
            kept = mapping_of(json.loads(await self.blobs.get(self._place(params))))
            age = self.clock.now() - datetime.fromisoformat(str(kept.get("at")))
        except (NotFound, ValueError, TypeError):  # there is no answer, or the blob has another shape
            return None
        answer = kept.get("answer")
        if kept.get("params") != dict(params) or age >= _KEPT or not isinstance(answer, dict):
            return None
        return answer

    async def put(self, params: Mapping[str, str], answer: Mapping[str, object]) -> None:
        """Stores an answer. `params` must not hold a key."""
        kept = {"at": self.clock.now().isoformat(), "params": dict(params), "answer": answer}
        await self.blobs.put(self._place(params), json.dumps(kept).encode())

    def _place(self, params: Mapping[str, str]) -> str:
        asked = json.dumps(sorted(params.items())).encode()
        return f"answers/{self.service}/{hashlib.sha256(asked).hexdigest()[:_PLACE_DIGITS]}.json"
