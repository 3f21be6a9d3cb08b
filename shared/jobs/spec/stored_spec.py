"""Decodes specs that the app has stored."""

import asyncio
from typing import Final

from shared.errors import Damaged, InvalidRequest
from shared.jobs.spec.spec import JobSpec, SpecReader

_LARGE_BYTES: Final = 100_000


async def decode_stored_spec(data: bytes, specs: SpecReader, what: str = "the job's spec") -> JobSpec:
    """Returns the spec that `encode_spec` encoded. `what` names it for users.

    Raises:
        Damaged: the data is not such a spec.
    """
    try:
        # A large spec takes up to a second, which must not stop all other tasks.
        if len(data) > _LARGE_BYTES:
            return await asyncio.to_thread(specs.decode, data, internal=True)
        return specs.decode(data, internal=True)
    except (InvalidRequest, ValueError) as error:
        raise Damaged(f"Damaged in storage: {what}.") from error
