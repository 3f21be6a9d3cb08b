"""Sends the messages of a job's chunks, about `window` at a time, so that a large job leaves room for others.

To announce a chunk is to send its message. Discovery alone announces the first `window` chunks, when it adds them. Its
state says how many it has announced, so their rows do not say it. The chunk numbered n + window is announced when
chunk n is finished: done, and its rest too. Whoever finishes chunk n announces it, or discovery, if it adds the chunk
later than that. Each of them first writes its own change and then reads the other's, so at least one sees that the
chunk is to be announced. If both see it, the one that writes its name into the chunk's row as the announcer sends the
message.

If a chunk runs out of time, the chunk of its rest takes its place in the window. If a chunk is halved because it
crashes again and again, its place becomes free at once, so nothing waits for the halves.
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
    """Announces chunks: each at least once, and twice only if a run dies right after the message or runs twice at once.

    If an announcer dies before it sends the message, its own message is delivered again, and it sends it then.
    """

    def __init__(self, ledger: ChunkLedger, queues: QueueSender, window: int) -> None:
        self._ledger = ledger
        self._queues = queues
        self._window = window

    async def announce_added(self, job: Job, numbers: Iterable[int], *, again: bool = False) -> None:
        """Announces those of the added chunks that have room in the window.

        Pass `again=True` if an earlier run added the chunks, and may have announced them.
        """
        for number in numbers:
            name = chunk_id(number)
            if number > self._window:
                if await self._is_finished(job, number - self._window):
                    await self._announce(job, name, "discovery")
            elif not again or await self._is_open(job, name):
                await self._send(job, name)

    async def announce_after(self, job: Job, chunk: ChunkRow, added: int) -> None:
        """Announces what follows a chunk that is done: its successors, and the next chunk if its place is free.

        `added` is the ledger's count of the job's chunks, read after this chunk was done. If discovery adds the next
        chunk later than that, discovery finds this chunk finished.
        """
        for successor in chunk.successors:
            await self._announce(job, successor, chunk.id)
        following = number_of(chunk.id) + self._window
        if following <= added and (chunk.halved or not chunk.successors) and not is_of_a_half(chunk.id):
            await self._announce(job, chunk_id(following), chunk.id)

    async def postpone(self, job: Job, name: str, delay_seconds: float) -> None:
        """Sends the message of an announced chunk again, with a delay."""
        await self._send(job, name, delay_seconds)

    async def resend(self, job: Job) -> int:
        """Sends the messages of all chunks that should be under way; returns how many.

        It reads the whole ledger, and is for jobs whose messages may be lost.
        """
        sent = 0
        unfinished: set[int] = set()
        async for chunk in self._ledger.chunks(job.id):
            if chunk.done:
                continue
            number, half = number_of(chunk.id), is_of_a_half(chunk.id)
            if chunk.announced or half or number - self._window not in unfinished:
                await self._send_and_note(job, chunk)
                sent += 1
            if not half:
                unfinished.add(number)
        return sent

    async def _is_finished(self, job: Job, number: int) -> bool:
        """Whether the added chunk is done, and the chunks of its rest too, up to one that was halved."""
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
            chunk = await self._ledger.replace_chunk(job.id, replace(chunk, announcer=announcer))
        if chunk is not None and chunk.announcer == announcer:
            await self._send_and_note(job, chunk)

    async def _send_and_note(self, job: Job, chunk: ChunkRow) -> None:
        await self._send(job, chunk.id)
        if not chunk.announced:
            await self._ledger.replace_chunk(job.id, replace(chunk, announced=True))

    async def _send(self, job: Job, name: str, delay_seconds: float = 0.0) -> None:
        await self._queues.send(CHUNKS_QUEUE, chunk_message_of(job, name), delay_seconds=delay_seconds)
