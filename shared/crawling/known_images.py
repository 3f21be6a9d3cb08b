"""Takes over images of a dataset that is refreshed: asks for consent again, and copies the stored bytes.

If the refresh checks known images, their hosts are asked whether they have changed, by conditional requests.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from shared.clock import Clock
from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.fetching.download import Fetched
from shared.crawling.fetching.fetch import Fetcher
from shared.crawling.fetching.patience import Patience
from shared.crawling.options import CrawlOptions
from shared.crawling.optout_check import OptOutCheck
from shared.crawling.stored_reads import StoredReads
from shared.errors import Conflict, Damaged, NotFound
from shared.records.candidates import BLOB_SCHEME, Candidate, Known, NumberedCandidate
from shared.records.consent import Answers, consent_of
from shared.records.embedded import SILENT, Embedded
from shared.records.facts import ImageFacts
from shared.records.records import Kept, Reason, Record, Rejected
from shared.storage.writer import BlobWriter

type _Download = AbstractAsyncContextManager[Fetched | Rejected]

# larger images are hashed in a thread, so that other tasks do not wait
_HASHED_ON_LOOP = 256 << 10
_VERSION = ("final_url", "fetched_at", "etag", "last_modified")
_WITHDRAWN = frozenset({Reason.ROBOTS_DENIED, Reason.OPTED_OUT})
# many hosts answer a failure with the status 200 and a page
_NO_WHOLE_IMAGE = frozenset(
    {Reason.NOT_AN_IMAGE, Reason.UNSUPPORTED_FORMAT, Reason.TRUNCATED, Reason.CORRUPT}
)


@dataclass(frozen=True, slots=True)
class KnownWork:
    """What the work on a chunk gives to each known image.

    `judge` judges and stores bytes, with what their file said earlier about itself. A download is entered through
    `interruptible`, so that it may be interrupted. `stored` reads the images. `score` adds scores to the facts of
    stored bytes, if they lack any that the job wants.
    """

    options: CrawlOptions
    shard: BlobWriter
    patience: Patience
    judge: Callable[[bytes, Answers, Embedded], Awaitable[Kept | Rejected]]
    interruptible: Callable[[_Download], _Download]
    optouts: OptOutCheck
    stored: StoredReads
    score: Callable[[bytes, ImageFacts], Awaitable[ImageFacts | Rejected]]


@dataclass(frozen=True, slots=True)
class _Reply:
    """What hosts and sources say of a known image.

    `outcome` is None if the stored bytes stay. `gone` says that the host no longer has the image. `version` are the
    fields of the record that a new answer with the image has changed.
    """

    outcome: Kept | Rejected | None = None
    gone: bool = False
    version: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownImages:
    """Makes the records of known candidates."""

    fetcher: Fetcher
    budget: ByteBudget
    clock: Clock

    async def record(self, numbered: NumberedCandidate, known: Known, work: KnownWork) -> Record | None:
        """Returns the record of a candidate, or None if its stored bytes are not those that were judged.

        An image that its host does not allow any more is rejected. If the host does not say, the image stays.

        Raises:
            Damaged: the files of the dataset are gone or cannot be read.
            Postponed: the chunk's time ends before the host may be asked.
            Retryable: storage did not answer.
        """
        candidate, answers = numbered.candidate, Answers()
        reply = await self._reply(candidate, known, work, answers)
        outcome = reply.outcome or await self._copy(candidate, known, work, answers)
        if outcome is None:
            return None
        fields: dict[str, Any] = {name: getattr(known, name) for name in _VERSION} | dict(reply.version)
        consent = consent_of(candidate.consent, answers, self._now)
        gone = reply.gone or not known.listed
        return Record(numbered.index, candidate, outcome, consent=consent, gone=gone, **fields)

    @property
    def _now(self) -> str:
        return self.clock.now().isoformat(timespec="seconds")

    async def _reply(self, candidate: Candidate, known: Known, work: KnownWork, answers: Answers) -> _Reply:
        if known.facts is None:
            return _Reply(Rejected(Reason(known.reason), known.detail))
        if work.options.remove_gone and not known.listed:
            return _Reply(Rejected(Reason.NOT_FOUND, "its source no longer lists it"))
        refusal = work.optouts.by_address(
            answers, candidate.url, candidate.provenance.page_url, known.final_url
        )
        if refusal is not None or candidate.url.startswith(BLOB_SCHEME):
            return _Reply(refusal)
        if work.options.check:
            return await self._check(candidate, known, work, answers)
        for url in dict.fromkeys((candidate.url, known.final_url or candidate.url)):
            refusal = await self.fetcher.refusal(url, work.options.respect, answers)
            if refusal is not None and refusal.reason in _WITHDRAWN:
                return _Reply(refusal)
        return _Reply()

    async def _check(self, candidate: Candidate, known: Known, work: KnownWork, answers: Answers) -> _Reply:
        """Asks the host whether the image has changed, and for its consent."""
        options, url = work.options, candidate.url
        fetch = self.fetcher.fetch(
            url, options.filters, options.respect, work.patience, answers, known.conditions
        )
        async with work.interruptible(fetch) as found:
            if isinstance(found, Rejected):
                return _after_rejection(found, work)
            refusal = work.optouts.by_address(answers, found.url, *found.passed)
            if refusal is not None or found.unchanged:
                return _Reply(refusal)
            outcome = await work.judge(found.body, answers, SILENT)
            if isinstance(outcome, Rejected) and outcome.reason in _NO_WHOLE_IMAGE:
                return _Reply()
            version = {
                "final_url": found.url if found.url != url else None,
                "fetched_at": self._now,
                "etag": found.etag,
                "last_modified": found.last_modified,
            }
            return _Reply(outcome, version=version)

    async def _copy(
        self, candidate: Candidate, known: Known, work: KnownWork, answers: Answers
    ) -> Kept | Rejected | None:
        """Copies the stored bytes into the shard. Returns None if they are not those that the facts describe.

        Bytes that no model has looked at are judged, if the job wants that.
        """
        facts, stored = known.facts, candidate.stored
        if facts is None or stored is None:
            return None
        share = await self.budget.take(stored.size)
        try:
            data = await work.stored.get(stored)
            if await _sha256(data) != facts.sha256:
                return None
            if _lacks_findings(facts, work.options):
                return await work.judge(data, answers, facts.embedded)
            refusal = work.optouts.by_content(answers, data, facts)
            if refusal is not None:
                return refusal
            scored = await work.score(data, facts)
            if isinstance(scored, Rejected):
                return scored
            return Kept(work.shard.name, await work.shard.append(data), scored)
        except (NotFound, Conflict) as error:
            raise Damaged(f"The files of the dataset to refresh cannot be read. {error.detail}") from error
        finally:
            self.budget.give_back(share)


def _lacks_findings(facts: ImageFacts, options: CrawlOptions) -> bool:
    """Returns whether the job wants models to look at an image that they have not looked at."""
    return (options.filters.looks_for_faces and facts.faces is None) or (
        options.filters.rates_content and facts.nsfw is None
    )


def _after_rejection(found: Rejected, work: KnownWork) -> _Reply:
    """Returns what the host says of an image that it did not send. If it may send it later, the image stays."""
    if found.reason in _WITHDRAWN:
        return _Reply(found)
    if found.reason is Reason.NOT_FOUND:
        return _Reply(found if work.options.remove_gone else None, gone=True)
    return _Reply()


async def _sha256(data: bytes) -> str:
    if len(data) <= _HASHED_ON_LOOP:
        return hashlib.sha256(data).hexdigest()
    return await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
