"""Writes slices of a dataset's files one after the other, and the first one while the dataset's texts are made."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from shared.archiving.planning.parts import BegunSlice, Slice
from shared.archiving.planning.plan import Plan
from shared.archiving.writing.write import begin_slice, write_slice
from shared.clock import Deadline
from shared.errors import AppError
from shared.runtime import Runtime
from shared.storage.blobs import BlockStore
from shared.telemetry.uploads import Upload, uploading


class SliceWriting:
    """Writes slices, and reports the uploads.

    A process writes one slice at a time: a second one would take as much memory again, and save no time.
    """

    def __init__(self, blobs: BlockStore, runtime: Runtime) -> None:
        self._blobs = blobs
        self._clock = runtime.clock
        self._telemetry = runtime.telemetry
        self._writing = asyncio.Lock()

    async def write(self, plan: Plan, slices: Sequence[Slice], deadline: Deadline) -> dict[int, bytes]:
        """Writes slices until the deadline passes; returns the SHA-256 of each complete one, by its number.

        The first one is begun even if the deadline has passed, so that every call makes progress.
        """
        digests: dict[int, bytes] = {}
        for piece in slices:
            async with self._writing:
                if digests and deadline.passed:
                    break
                with self._uploading(plan, piece) as upload:
                    digest = await write_slice(plan, piece, self._blobs, deadline, upload.add)
            if digest is None:
                break
            digests[piece.number] = digest
        return digests

    async def begin(self, plan: Plan, late: Callable[[], bool]) -> BegunSlice | None:
        """Writes the blocks of images of a plan whose texts are not made yet, until `late` returns True.

        Returns what is written. Returns None if there are no such blocks, if the process writes another slice, or if
        storage did not answer or is damaged: `write` finds this again.
        """
        piece = plan.slice_of_images()
        if piece is None or self._writing.locked():
            return None
        async with self._writing:
            # another slice may have waited for its turn
            if late():
                return None
            with contextlib.suppress(AppError), self._uploading(plan, piece) as upload:
                return await begin_slice(plan, piece, self._blobs, late, upload.add)
        return None

    def _uploading(self, plan: Plan, piece: Slice) -> contextlib.AbstractContextManager[Upload]:
        return uploading(self._telemetry, self._clock, plan.blob(plan.files[piece.file]))
