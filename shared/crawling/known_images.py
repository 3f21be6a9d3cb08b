"""Takes over images of a dataset that is refreshed: asks for consent again, and copies the stored bytes."""

import asyncio
import hashlib
from dataclasses import dataclass

from shared.clock import Clock
from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.fetching.fetch import Fetcher
from shared.crawling.options import CrawlOptions
from shared.errors import Conflict, Damaged, NotFound
from shared.records.candidates import BLOB_SCHEME, Candidate, Known, NumberedCandidate
from shared.records.consent import Answers, consent_of
from shared.records.records import Kept, Reason, Record, Rejected
from shared.storage.blobs import BlobStore
from shared.storage.writer import BlobWriter

# larger images are hashed in a thread, so that other tasks need not wait
_HASHED_ON_LOOP = 256 << 10
_WITHDRAWN = frozenset({Reason.ROBOTS_DENIED, Reason.OPTED_OUT})


@dataclass(frozen=True, slots=True)
class KnownImages:
    """Makes the records of known candidates. No image is fetched."""

    fetcher: Fetcher
    budget: ByteBudget
    blobs: BlobStore
    clock: Clock

    async def record(
        self, numbered: NumberedCandidate, known: Known, options: CrawlOptions, shard: BlobWriter
    ) -> Record | None:
        """Returns the record of a candidate, or None if its stored bytes are not those that were judged.

        An image that its host does not allow any more is rejected. If the host does not say, the image stays.

        Raises:
            Damaged: the files of the dataset are gone or cannot be read.
            Retryable: storage did not answer.
        """
        candidate, answers = numbered.candidate, Answers()
        outcome = await self._refusal(candidate, known, options, answers) or await self._copy(
            candidate, known, shard
        )
        if outcome is None:
            return None
        consent = consent_of(candidate.consent, answers, self.clock.now().isoformat(timespec="seconds"))
        return Record(
            numbered.index,
            candidate,
            outcome,
            known.final_url,
            known.fetched_at,
            consent,
            gone=not known.listed,
        )

    async def _refusal(
        self, candidate: Candidate, known: Known, options: CrawlOptions, answers: Answers
    ) -> Rejected | None:
        """Why the dataset does not have the image any more, or did not have it before; None if it stays."""
        if known.facts is None or candidate.stored is None:
            return Rejected(Reason(known.reason), known.detail)
        if options.remove_gone and not known.listed:
            return Rejected(Reason.NOT_FOUND, "its source no longer lists it")
        if candidate.url.startswith(BLOB_SCHEME):
            return None
        for url in dict.fromkeys((candidate.url, known.final_url or candidate.url)):
            refusal = await self.fetcher.refusal(url, options.respect, answers)
            if refusal is not None and refusal.reason in _WITHDRAWN:
                return refusal
        return None

    async def _copy(self, candidate: Candidate, known: Known, shard: BlobWriter) -> Kept | None:
        """Copies the stored bytes into the shard. Returns None if they are not those that the facts describe."""
        facts, stored = known.facts, candidate.stored
        if facts is None or stored is None:
            return None
        share = await self.budget.take(stored.size)
        try:
            data = await self.blobs.get(stored.blob, offset=stored.offset, length=stored.size)
            if await _sha256(data) != facts.sha256:
                return None
            return Kept(shard.name, await shard.append(data), facts)
        except (NotFound, Conflict) as error:
            raise Damaged(f"The files of the dataset to refresh cannot be read. {error.detail}") from error
        finally:
            self.budget.give_back(share)


async def _sha256(data: bytes) -> str:
    if len(data) <= _HASHED_ON_LOOP:
        return hashlib.sha256(data).hexdigest()
    return await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
