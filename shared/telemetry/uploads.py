"""Measures uploads: their duration, the bytes that storage has accepted, and whether they succeeded."""

import contextlib
from collections.abc import Iterator

from shared.clock import Clock
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry

_MB = 1_000_000


class Upload:
    """Counts the bytes that storage has accepted."""

    def __init__(self) -> None:
        self.sent_bytes = 0

    def add(self, count: int) -> None:
        """Counts bytes. Call it after they are sent."""
        self.sent_bytes += count


@contextlib.contextmanager
def uploading(telemetry: Telemetry, clock: Clock, target: str) -> Iterator[Upload]:
    """Reports what the block sends to a blob as one dependency.

    Nothing is reported if it sends nothing and succeeds.
    """
    upload = Upload()
    began = clock.monotonic()
    failed: BaseException | None = None
    try:
        yield upload
    except BaseException as error:
        failed = error
        raise
    finally:
        if upload.sent_bytes or failed is not None:
            signals.azure_blob_upload(
                telemetry,
                target=target,
                duration_seconds=clock.monotonic() - began,
                file_size_mb=upload.sent_bytes / _MB,
                error=failed,
            )
