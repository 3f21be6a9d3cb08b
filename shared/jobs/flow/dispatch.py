"""Which of a job's chunks have their message on the queue: about `window` at a time, so that none keeps out others.

The first `window` chunks are announced as they are added, by discovery alone, whose state says how far it has come:
their rows say nothing of it. The chunk numbered n + window is announced when chunk n is
through: by whoever finishes n, or, where discovery adds it later than that, by discovery. Each of the two writes first
and then looks, so one of them sees it; where both do, the one that writes its name into the chunk's row sends. A chunk
that ends early hands its turn to its rest. One that is halved, because it crashes again and again, hands it on at once,
so that nothing waits for its halves.
"""

from collections.abc import Iterable
from dataclasses import replace

from shared.jobs.job.chunk_ids import chunk_id, is_of_a_half, number_of
from shared.jobs.job.job import Job
from shared.jobs.job.messages import CHUNKS_QUEUE, chunk_message_of
from shared.jobs.ledger.chunks import ChunkLedger
from shared.jobs.ledger.rows import ChunkRow
from shared.storage.queues import QueueSender


class Dispatch:
    """Announces each chunk once. It may be twice where a run dies right after its message, or runs twice at a time.

    Who took it on to announce a chunk and died before it did gets its own message again, and does it then.
    """

    def __init__(self, ledger: ChunkLedger, queues: QueueSender, window: int) -> None:
        self._ledger = ledger
        self._queues = queues
        self._window = window

    async def added(self, job: Job, numbers: Iterable[int], *, again: bool = False) -> None:
        """Announce those of the chunks that were added whose turn it is.

        `again` says that an earlier run added them, and may have announced them.
        """
        for number in numbers:
            name = chunk_id(number)
            if number > self._window:
                if await self._is_through(job, number - self._window):
                    await self._announce(job, name, "discovery")
            elif not again or await self._is_open(job, name):
                await self._send(job, name)

    async def finished(self, job: Job, chunk: ChunkRow, added: int) -> None:
        """Announce what follows a chunk that is done: what it left over, and the next one in its turn.

        `added` is how many chunks the job had, at least, when it was looked at after this one was done. What is added
        later finds this one through.
        """
        for successor in chunk.successors:
            await self._announce(job, successor, chunk.id)
        following = number_of(chunk.id) + self._window
        if following <= added and (chunk.halved or not chunk.successors) and not is_of_a_half(chunk.id):
            await self._announce(job, chunk_id(following), chunk.id)

    async def postpone(self, job: Job, name: str, delay_seconds: float) -> None:
        """Send the chunk's message again, as a new one that comes after the delay."""
        await self._send(job, name, delay_seconds)

    async def resume(self, job: Job) -> int:
        """Announce everything that should be under way, announced or not; returns how many messages were sent.

        For jobs whose messages are gone: it looks through the whole ledger.
        """
        sent = 0
        waited_for: set[int] = set()
        async for chunk in self._ledger.chunks(job.id):
            if chunk.done:
                continue
            number, half = number_of(chunk.id), is_of_a_half(chunk.id)
            if chunk.announced or half or number - self._window not in waited_for:
                await self._send_and_note(job, chunk)
                sent += 1
            if not half:
                waited_for.add(number)
        return sent

    async def _is_through(self, job: Job, number: int) -> bool:
        name: str | None = chunk_id(number)
        while name is not None:
            chunk = await self._ledger.chunk(job.id, name)
            if chunk is None or not chunk.done:
                return False
            name = chunk.successors[0] if chunk.successors and not chunk.halved else None
        return True

    async def _is_open(self, job: Job, name: str) -> bool:
        chunk = await self._ledger.chunk(job.id, name)
        return chunk is not None and not chunk.done

    async def _announce(self, job: Job, name: str, announcer: str) -> None:
        chunk: ChunkRow | None = await self._ledger.chunk(job.id, name)
        if chunk is None or chunk.done or chunk.announced:
            return
        if not chunk.announcer:
            chunk = await self._ledger.note(job.id, replace(chunk, announcer=announcer))
        if chunk is not None and chunk.announcer == announcer:
            await self._send_and_note(job, chunk)

    async def _send_and_note(self, job: Job, chunk: ChunkRow) -> None:
        await self._send(job, chunk.id)
        if not chunk.announced:
            await self._ledger.note(job.id, replace(chunk, announced=True))

    async def _send(self, job: Job, name: str, delay_seconds: float = 0.0) -> None:
        await self._queues.send(CHUNKS_QUEUE, chunk_message_of(job, name), delay_seconds=delay_seconds)
