"""A source that searches, for tests of the order of paging, and a helper that runs discovery to its end."""

from collections import Counter
from typing import ClassVar

from shared.errors import RateLimited
from shared.jobs.job.messages import JOBS_QUEUE
from shared.records.candidates import Candidate, NumberedCandidate, Provenance, decode_candidates
from shared.sources.source import Page, Query, SourceConfig, SourceContext


class SearchConfig(SourceConfig):
    """Gives `total` candidates for each keyword, `page` at a time, each in `cost` seconds; waits `wait` before each."""

    searches: ClassVar[bool] = True

    type: str = "search"
    name: str = "one"
    total: int = 1000
    page: int = 10
    wait: float = 0.0
    cost: float = 0.0


class Search:
    asked: ClassVar[list[tuple[str, str, int]]] = []
    contexts: ClassVar[list[SourceContext]] = []

    def __init__(self, config, context):
        self.config = config
        self.clock = context.clock
        self.contexts.append(context)

    def queries(self, labels):
        return [Query(f"{label}/{word}", label, word) for label, words in labels.items() for word in words]

    async def pages(self, query, cursor):
        config = self.config
        start, until = map(float, (cursor or "0 0").split())
        start = int(start)
        while start < config.total:
            if self.clock.seconds < until:
                raise RateLimited("wait", until - self.clock.seconds)
            self.asked.append((config.name, query.text, start))
            self.clock.seconds += config.cost
            end = min(start + config.page, config.total)
            until = self.clock.seconds + config.wait
            found = tuple(
                Candidate(
                    f"http://{config.name}/{query.text}/{number}".replace(" ", "_"),
                    query.label,
                    Provenance("x"),
                )
                for number in range(start, end)
            )
            yield Page(found, f"{end} {until}" if end < config.total else None, (f"{config.name} {start}",))
            start = end


async def discover(flow, spec):
    """Runs discovery to its end; returns the candidates' URLs in order, and the delays of the continuations."""
    job = await flow.send({"dedup": {"near_distance": None}, **spec})
    delays: list[float] = []
    for _ in range(300):
        messages = flow.queues.take(JOBS_QUEUE)
        if not messages:
            break
        send = flow.queues.send
        again: list[float] = []

        async def noted(queue, text, *, delay_seconds=0.0, send=send, again=again):
            if queue == JOBS_QUEUE:
                again.append(delay_seconds)
            await send(queue, text, delay_seconds=delay_seconds)

        flow.queues.send = noted
        for text in messages:
            await flow.handle(JOBS_QUEUE, text)
        flow.queues.send = send
        for delay in again:
            flow.clock.advance(delay)
        delays += again
    found: list[NumberedCandidate] = []
    async for chunk in flow.ledger.chunks(job.id):
        found += decode_candidates(await flow.blobs.get(chunk.candidates_blob))
    assert [numbered.index for numbered in found] == list(range(len(found)))
    return [numbered.candidate.url for numbered in found], delays


def by(urls, part):
    return Counter(url.split("/")[part] for url in urls)
