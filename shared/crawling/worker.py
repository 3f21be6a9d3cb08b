"""Does the work of the crawl step: fetches, judges and stores the images of a chunk, many at a time."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from shared.clock import Deadline
from shared.crawling.chunk import Chunk, ChunkResult
from shared.crawling.chunk_run import ChunkRun
from shared.crawling.fetching.byte_budget import ByteBudget
from shared.crawling.fetching.download import Fetched
from shared.crawling.fetching.fetch import Fetcher
from shared.crawling.fetching.host_queues import HostQueues
from shared.crawling.fetching.patience import Patience, Postponed
from shared.crawling.image_checks import NO_CHECKS, ImageChecks
from shared.crawling.image_judge import ImageJudge
from shared.crawling.known_images import KnownImages, KnownWork
from shared.crawling.optout_check import OptOutCheck
from shared.crawling.relevance_check import options_for_known
from shared.crawling.stored_reads import StoredReads
from shared.errors import Conflict, NotFound, Permanent, Retryable, Unavailable
from shared.records.candidates import BLOB_SCHEME, Candidate, NumberedCandidate, StoredRange
from shared.records.consent import Answers, consent_of
from shared.records.embedded import SILENT, Embedded
from shared.records.facts import ImageFacts
from shared.records.licenses import allows_changes
from shared.records.records import Kept, Reason, Record, Rejected
from shared.runtime import Runtime
from shared.scoring.no_embedding import NoEmbedding
from shared.scoring.picture_models import PictureModels
from shared.storage.blobs import BlockStore
from shared.storage.writer import BlobWriter
from shared.telemetry import signals

if TYPE_CHECKING:
    from shared.scoring.scorer import Picture


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """`concurrency` candidates are processed at a time. `threads` decode images; 0 means one thread for each core.

    Large images share `decoded_bytes` of memory for decoding. While an image that needs more is decoded, no other large
    image is.
    """

    concurrency: int = 64
    threads: int = 0
    decoded_bytes: int = 512 << 20


class ChunkWorker:
    """Crawls chunks. A process has one worker, whose threads, connections and limits all chunks share."""

    def __init__(
        self,
        fetcher: Fetcher,
        budget: ByteBudget,
        blobs: BlockStore,
        runtime: Runtime,
        config: WorkerConfig,
        checks: ImageChecks = NO_CHECKS,
    ) -> None:
        self._fetcher = fetcher
        self._checks = checks
        self._budget = budget
        self._known_images = KnownImages(fetcher, budget, runtime.clock)
        self._blobs = blobs
        self._clock = runtime.clock
        self._telemetry = runtime.telemetry
        self._config = config
        self._judge = ImageJudge(config.threads or os.cpu_count() or 1, config.decoded_bytes)

    async def work(self, chunk: Chunk, deadline: Deadline, stop: Callable[[], bool]) -> ChunkResult:
        """Fetches, judges and stores the chunk's images until all are done, the deadline passes or `stop` returns true.

        Each candidate is in the result, with its record or as unfinished. When this returns, the images of all records
        are stored in the chunk's shard. If the caller does not write the records, those bytes are unused.

        Raises:
            Damaged: the files of a dataset that is refreshed are gone or cannot be read.
            Permanent: a model that the options ask for is missing or does not work.
            Retryable: storage did not answer.
        """
        optouts = await self._checks.current_optouts()
        models = await self._checks.models_for(chunk.options)
        run = self._run(chunk, deadline, stop, optouts, models)
        libraries = self._judge.import_libraries()
        watcher = asyncio.create_task(run.interrupt_on_stop())
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._config.concurrency, len(chunk.candidates))):
                    group.create_task(self._process_candidates(run))
        except* Permanent as group_error:
            raise _first_of(group_error) from group_error
        except* Retryable as group_error:
            raise Unavailable("Storage did not answer while the chunk was crawled.") from group_error
        finally:
            watcher.cancel()
        await libraries
        await run.shard.close()
        names = self._fetcher.take_name_counts()
        signals.names_looked_up(
            self._telemetry, remembered=names.remembered, asked=names.asked, failed=names.failed
        )
        return run.result

    async def close(self) -> None:
        """Stops the threads as soon as their current images are done."""
        self._judge.close()

    def _run(
        self,
        chunk: Chunk,
        deadline: Deadline,
        stop: Callable[[], bool],
        optouts: OptOutCheck,
        models: PictureModels,
    ) -> ChunkRun:
        return ChunkRun(
            chunk=chunk,
            stop=stop,
            patience=Patience(len(chunk.candidates), deadline, stop),
            # twice the number of requests: while some images of a host are judged, others are fetched
            queues=HostQueues(chunk.candidates, 2 * self._fetcher.per_host),
            shard=BlobWriter(self._blobs, chunk.shard),
            stored=StoredReads(self._blobs, chunk.candidates),
            optouts=optouts,
            models=models,
        )

    async def _process_candidates(self, run: ChunkRun) -> None:
        """Processes one candidate after the other, until no candidate or no time is left."""
        while (numbered := await run.queues.take()) is not None:
            try:
                if run.patience.ended:
                    return
                run.records[numbered.index] = await self._record(run, numbered)
            except Postponed:
                continue
            except asyncio.CancelledError:
                if not run.stop():
                    raise
                return
            finally:
                run.queues.done(numbered)

    async def _record(self, run: ChunkRun, numbered: NumberedCandidate) -> Record:
        candidate = numbered.candidate
        fetched: Fetched | None = None
        outcome: Kept | Rejected
        answers = Answers()
        try:
            if candidate.known is not None:
                record = await self._known_images.record(
                    numbered, candidate.known, self._known_work(run, candidate)
                )
                if record is not None:
                    return record
                candidate = replace(candidate, stored=None)
            outcome, fetched = await self._outcome(run, candidate, answers)
        except (Retryable, Postponed, Permanent):
            # storage does not answer, so the whole chunk is tried again; or this candidate has no time left;
            # or the job cannot go on, because its files are damaged or a model does not work
            raise
        except Exception as error:  # noqa: BLE001 - an error with one image must not harm the others
            signals.failure(self._telemetry, error, operation="crawl_candidate")
            outcome = Rejected(Reason.CRASHED, type(error).__name__)
        fetched_at = self._clock.now().isoformat(timespec="seconds")
        consent = consent_of(candidate.consent, answers, fetched_at)
        if fetched is None:
            return Record(numbered.index, candidate, outcome, None, fetched_at, consent)
        moved_to = fetched.url if fetched.url != candidate.url else None
        version = fetched.etag, fetched.last_modified
        return Record(numbered.index, candidate, outcome, moved_to, fetched_at, consent, *version)

    def _known_work(self, run: ChunkRun, candidate: Candidate) -> KnownWork:
        judge_and_store = partial(self._judge_and_store, run, candidate)
        options, optouts = run.chunk.options, run.optouts
        score = partial(self._score_known, run, candidate)
        return KnownWork(
            options, run.shard, run.patience, judge_and_store, run.interruptible, optouts, run.stored, score
        )

    async def _outcome(
        self, run: ChunkRun, candidate: Candidate, answers: Answers
    ) -> tuple[Kept | Rejected, Fetched | None]:
        """Returns the outcome, and the answer of the host if it sent an image. Notes all answers of signals."""
        refusal = run.optouts.by_address(answers, candidate.url, candidate.provenance.page_url)
        if refusal is not None:
            return refusal, None
        licenses = run.chunk.options.filters.licenses
        if licenses is not None and candidate.provenance.license not in licenses:
            return Rejected(Reason.LICENSE_FILTERED, candidate.provenance.license), None
        if candidate.in_storage:
            return await self._read(run, candidate, answers), None
        return await self._fetch(run, candidate, answers)

    async def _fetch(
        self, run: ChunkRun, candidate: Candidate, answers: Answers
    ) -> tuple[Kept | Rejected, Fetched | None]:
        options, url = run.chunk.options, candidate.url
        fetch = self._fetcher.fetch(url, options.filters, options.respect, run.patience, answers)
        async with run.interruptible(fetch) as fetched:
            if isinstance(fetched, Rejected):
                return fetched, None
            refusal = run.optouts.by_address(answers, fetched.url, *fetched.passed)
            outcome = refusal or await self._judge_and_store(run, candidate, fetched.body, answers)
            return outcome, fetched

    async def _read(self, run: ChunkRun, candidate: Candidate, answers: Answers) -> Kept | Rejected:
        """Returns the outcome of an image that is in storage. The limits are those of images from the web."""
        where = candidate.stored or await self._find(candidate.url.removeprefix(BLOB_SCHEME))
        if where is None:
            return Rejected(Reason.NOT_FOUND, "no such blob")
        if where.size > run.chunk.options.filters.max_bytes:
            return Rejected(Reason.TOO_MANY_BYTES, f"{where.size} bytes")
        if not where.size:
            return Rejected(Reason.EMPTY_BODY)
        share = await self._budget.take(where.size)
        try:
            data = await run.stored.get(where)
            if len(data) != where.size:
                return Rejected(Reason.TRANSFER_BROKEN, "the file that it is stored in is cut short")
            return await self._judge_and_store(run, candidate, data, answers, candidate.embedded)
        except (NotFound, Conflict) as error:
            # its dataset has a later revision, or the blob is in the Archive tier
            return Rejected(Reason.TRANSFER_BROKEN, error.detail)
        finally:
            self._budget.give_back(share)

    async def _find(self, blob: str) -> StoredRange | None:
        info = await self._blobs.info(blob)
        return StoredRange(blob, 0, info.size_bytes) if info is not None else None

    async def _judge_and_store(
        self, run: ChunkRun, candidate: Candidate, data: bytes, answers: Answers, earlier: Embedded = SILENT
    ) -> Kept | Rejected:
        judged = await self._judge.judge(run, data, answers, earlier)
        if isinstance(judged, Rejected):
            return judged
        refusal = run.optouts.by_content(answers, data, judged.facts, judged.found_hash)
        if refusal is not None:
            return refusal
        if judged.blurred and not allows_changes(candidate.provenance.license):
            terms = candidate.provenance.license
            return Rejected(Reason.LICENSE_FILTERED, f"{terms} does not allow that its faces are blurred")
        facts = await self._score(run, candidate, judged.facts, judged.picture)
        if isinstance(facts, Rejected):
            return facts
        return Kept(run.shard.name, await run.shard.append(judged.data), facts)

    async def _score(
        self, run: ChunkRun, candidate: Candidate, facts: ImageFacts, picture: "Picture | None"
    ) -> ImageFacts | Rejected:
        """Returns the facts with what the model says, or as they are if it has no vector for this picture."""
        if picture is None:
            return facts
        try:
            async with run.waiting():
                return await self._checks.relevance.score(facts, candidate.label, picture, run.chunk.options)
        except NoEmbedding as error:
            signals.failure(self._telemetry, error, operation="score_picture")
            return facts
        except Retryable:
            # a busy model must not undo what the chunk has done so far
            raise Postponed from None

    async def _score_known(
        self, run: ChunkRun, candidate: Candidate, data: bytes, facts: ImageFacts
    ) -> ImageFacts | Rejected:
        """Scores stored bytes that a refresh takes over, if their facts lack what the job wants."""
        options = run.chunk.options
        if not self._checks.relevance.is_missing(facts, candidate.label, options):
            return facts
        judged = await self._judge.judge_with(run, data, options_for_known(options), facts.embedded)
        return await self._score(
            run, candidate, facts, judged.picture if not isinstance(judged, Rejected) else None
        )


def _first_of(group: BaseExceptionGroup[Permanent]) -> Permanent:
    """Returns the first error of a group, which may be a group itself."""
    error = group.exceptions[0]
    return _first_of(error) if isinstance(error, BaseExceptionGroup) else error
