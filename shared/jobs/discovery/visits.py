"""Visits one stream of a run at a time: fetches its next page, and takes candidates from the page into the run."""

from collections.abc import Sequence
from dataclasses import replace

from shared.errors import AppError, NotFound, Permanent, RateLimited, Retryable
from shared.jobs.discovery.run import DiscoveryRun
from shared.jobs.discovery.streams import Stream
from shared.jobs.flow.rounds import oversampled
from shared.jobs.ledger.discovery import WHOLE_JOB
from shared.jobs.ledger.report import MAX_PROBLEM_CHARACTERS
from shared.records.candidates import Candidate
from shared.sources.source import Page
from shared.text.labels import UNLABELLED, clean_label
from shared.text.plain_text import one_line

_MAX_FAILURES = 5
_MAX_WAIT_SECONDS = 900.0
# A source that asks to wait again and again, without a page in between, is given up after this time.
_MAX_WAITED_SECONDS = 6 * 3600.0


class StreamVisits:
    """Visits the streams of one run of discovery.

    A stream holds its page until all candidates of the page are taken. Until then its cursor stays before the page: a
    later run fetches the page again, and skips the candidates that it knows already.
    """

    def __init__(self, run: DiscoveryRun) -> None:
        self._run = run

    async def visit(self, stream: Stream, most: int | None) -> float:
        """Takes at most `most` new candidates from the stream's page; fetches a page first if the stream holds none.

        All candidates of the page are taken if `most` is None or the stream's label has no limit. If the label or
        the whole job is full, the stream ends.

        Returns:
            For how many seconds the source must be left alone; 0 unless it asked to wait or failed.

        Raises:
            Changed: another run is ahead.
        """
        self._run.state.streams[stream.key] = stream.state
        full = self._full(stream, stream.query.label)
        if full is not None:
            stream.state.skip(full)
            stream.state.ended = True
            self._drop_page(stream)
            return 0.0
        try:
            await _hold_page(stream)
        except RateLimited as error:
            return self._wait_as_asked(stream, error)
        except Retryable as error:
            return self._wait_after_failure(stream, error)
        except (Permanent, NotFound) as error:
            self._give_up(stream, error.detail)
            return 0.0
        stream.state.failures, stream.state.waited_seconds = 0, 0.0
        self._take(stream, most)
        await self._save_if_full()
        return 0.0

    async def take_held(self, streams: Sequence[Stream]) -> None:
        """Takes all candidates of the pages that are held, one from each stream in turn.

        So no service is asked for a page again in the next slice.

        Raises:
            Changed: another run is ahead.
        """
        while holding := [stream for stream in streams if stream.untaken]:
            for stream in holding:
                self._take(stream, 1)
            await self._save_if_full()

    def _take(self, stream: Stream, most: int | None) -> None:
        """Takes new candidates, skips those of a full label, and does not count those that the job has already."""
        most = most if stream.limit is not None else None
        taken = 0
        while stream.untaken and (most is None or taken < most):
            candidate = stream.untaken.popleft()
            full = self._full(stream, candidate.label)
            if full is not None:
                stream.state.skip(full)
            else:
                taken += self._run.take(candidate)
                if stream.limit is None:
                    self._run.state.unlimited_labels.add(candidate.label)
        if not stream.untaken and stream.page is not None:
            stream.state.cursor = stream.page.cursor
            stream.state.ended = stream.page.cursor is None
            self._drop_page(stream)

    async def _save_if_full(self) -> None:
        if self._run.fills_a_chunk:
            await self._run.save()

    def _full(self, stream: Stream, label: str | None) -> str | None:
        """Returns what takes no more candidates, the whole job or the label; None if both do."""
        state, most = self._run.state, self._run.job.limit_of_tier
        if most is not None:
            enough = max(oversampled(most), state.raised_limits.get(WHOLE_JOB, 0))
            if self._run.candidates >= enough:
                return WHOLE_JOB
        if label is None or stream.limit is None:
            return None
        full = state.found.get(label, 0) >= state.raised_limits.get(label, stream.limit)
        return label if full else None

    def _drop_page(self, stream: Stream) -> None:
        if stream.page is not None:
            self._run.problems.note(stream.page.problems)
        stream.untaken.clear()
        stream.page = None

    def _wait_as_asked(self, stream: Stream, error: RateLimited) -> float:
        wait_seconds = min(error.retry_after_seconds, _MAX_WAIT_SECONDS)
        stream.state.waited_seconds += wait_seconds
        stream.state.wait_reason = one_line(error.detail, MAX_PROBLEM_CHARACTERS)
        if stream.state.waited_seconds < _MAX_WAITED_SECONDS:
            return wait_seconds
        self._give_up(stream, f"{error.detail} It has done so for hours.")
        return 0.0

    def _wait_after_failure(self, stream: Stream, error: Retryable) -> float:
        """Returns the wait, which doubles with each failure in a row."""
        stream.state.failures += 1
        tries = f"failure {stream.state.failures} in a row; after {_MAX_FAILURES} it is given up."
        stream.state.wait_reason = one_line(f"{tries} {error.detail}", MAX_PROBLEM_CHARACTERS)
        if stream.state.failures < _MAX_FAILURES:
            return 5.0 * (1 << stream.state.failures)
        self._give_up(stream, error.detail)
        return 0.0

    def _give_up(self, stream: Stream, why: str) -> None:
        stream.state.ended = stream.state.gave_up = True
        stream.state.waited_seconds = 0.0
        self._run.problems.note([f"{stream.query.label or stream.place}: {why}"])


async def _hold_page(stream: Stream) -> None:
    """Fetches the stream's next page unless it holds one; a stream without a next page gets an empty last one."""
    if stream.page is not None:
        return
    if stream.pages is None:
        stream.pages = stream.source.pages(stream.query, stream.state.cursor)
    try:
        stream.page = await anext(stream.pages, Page((), None))
    except AppError:
        # The generator is over. The next visit makes a new one, which begins at the cursor.
        stream.pages = None
        raise
    stream.untaken.extend(map(_labelled, stream.page.candidates))


def _labelled(candidate: Candidate) -> Candidate:
    """Returns the candidate with a clean label, whatever label its source gave it."""
    label = clean_label(candidate.label) or UNLABELLED
    return candidate if label == candidate.label else replace(candidate, label=label)
