"""How a message that is neither the app's nor a producer's is reported, for no job can stand for it."""

import logging

from shared.errors import InvalidRequest
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry

_log = logging.getLogger(__name__)


def report_dropped(telemetry: Telemetry, error: InvalidRequest, operation: str) -> None:
    """Report a message that is dropped; the error says what is wrong with it."""
    _log.warning("A message was dropped (%s). %s", operation, error.detail)
    signals.failure(telemetry, error, operation=operation)
