"""Reads how long a server asks a client to wait."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after_seconds(text: str, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110, 10.2.3), a number or a date; None where it is neither."""
    value = text.strip()[:100]
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
        # the date's obsolete forms name no zone and mean GMT
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, OverflowError):
        return None
