"""The times between the attempts of a delivery, over a day and a few hours."""

from typing import Final

# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (Deliverability)
SCHEDULE_SECONDS: Final = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600)
"""The time before each attempt, after the one before it."""
ATTEMPTS: Final = len(SCHEDULE_SECONDS)
MAX_RETRY_AFTER_SECONDS: Final = 10 * 3600
_JITTER = 0.1


def wait_seconds(step: int, chance: float, retry_after_seconds: float | None = None) -> float:
    """Returns how long to wait before the attempt number `step` of the schedule, which counts from 0.

    `chance`, from 0 to 1, makes the time up to a tenth longer, so that many deliveries to one receiver are spread. The
    time is never shorter than the receiver's Retry-After, which counts up to ten hours.
    """
    wait = SCHEDULE_SECONDS[step] * (1 + _JITTER * chance)
    return max(wait, min(retry_after_seconds or 0.0, MAX_RETRY_AFTER_SECONDS))
