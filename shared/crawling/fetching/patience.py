"""Limits the time of a chunk that is spent on hosts that fail or ask for rests."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.clock import Deadline
from shared.records.records import Rejected


@dataclass(frozen=True, slots=True)
class PatienceConfig:
    """The limits of one chunk.

    The chunk may make one further try for each of a `retry_share` of its candidates, and at least `retry_floor` such
    tries. The pauses before them may add up to `wait_seconds`. The chunk asks a host no more if it did not answer
    `host_failures` times in a row, or if its rests add up to more than `host_rest_seconds`.
    """

    retry_share: float = 0.15
    retry_floor: int = 10
    wait_seconds: float = 120.0
    host_failures: int = 5
    host_rest_seconds: float = 120.0


_CONFIG = PatienceConfig()


class Postponed(Exception):
    """The chunk's time ends before the candidate's host may be asked. The next chunk gets the candidate."""


class Patience:
    """Holds a chunk's budget of further tries, and the hosts that it asks no more. A host's name includes its port."""

    def __init__(
        self, candidates: int, deadline: Deadline, stop: Callable[[], bool], config: PatienceConfig = _CONFIG
    ) -> None:
        self._deadline = deadline
        self._stop = stop
        self._retries = max(config.retry_floor, int(candidates * config.retry_share))
        self._wait_seconds = config.wait_seconds
        self._host_failures = config.host_failures
        self._host_rest_seconds = config.host_rest_seconds
        self._rested: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._aside: dict[str, Rejected] = {}
        self._asked = False
        self._postponed: set[str] = set()

    @property
    def ended(self) -> bool:
        """Whether the chunk must begin nothing new: its time has passed or its job is stopped."""
        return self._deadline.passed or self._stop()

    @property
    def asked(self) -> bool:
        """Whether any host was asked for anything, even if it did not answer."""
        return self._asked

    @property
    def remaining_seconds(self) -> float:
        """The seconds until the chunk's time ends."""
        return self._deadline.remaining_seconds

    def grant_retry(self, pause_seconds: float) -> bool:
        """Returns whether a further try after this pause is permitted. If so, takes both from the budget."""
        granted = (
            self._retries > 0
            and pause_seconds <= self._wait_seconds
            and pause_seconds < self.remaining_seconds
            and not self._stop()
        )
        if granted:
            self._retries -= 1
            self._wait_seconds -= pause_seconds
        return granted

    def note_answer(self, host: str) -> None:
        """Notes that the host answered, even with an error."""
        self._asked = True
        self._failures.pop(host, None)

    def note_failure(self, host: str, rejected: Rejected) -> None:
        """Notes that the host did not answer. Sets it aside if that happened too often in a row."""
        self._asked = True
        self._failures[host] = self._failures.get(host, 0) + 1
        if self._failures[host] >= self._host_failures:
            self.set_aside(host, rejected)

    def note_rest(self, host: str, seconds: float, rejected: Rejected) -> None:
        """Notes that the host asked for a rest. Sets it aside if its rests add up to too long a time."""
        self._rested[host] = self._rested.get(host, 0.0) + seconds
        if self._rested[host] > self._host_rest_seconds:
            self.set_aside(host, rejected)

    def set_aside(self, host: str, rejected: Rejected) -> None:
        """Makes the chunk ask the host no more. The host's other candidates are rejected for this reason."""
        detail = f"the host was set aside: {rejected.detail or rejected.reason}"
        self._aside.setdefault(host, Rejected(rejected.reason, detail))

    def postpone(self, host: str) -> None:
        """Makes the chunk ask the host no more. The next chunk gets the host's other candidates."""
        self._postponed.add(host)

    def is_postponed(self, host: str) -> bool:
        """Returns whether the next chunk gets the host's candidates."""
        return host in self._postponed

    def refusal(self, host: str) -> Rejected | None:
        """Returns the rejection of a host that was set aside, or None."""
        return self._aside.get(host)
