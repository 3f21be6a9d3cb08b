"""How much of a chunk's time may go to hosts that trouble it."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.clock import Deadline
from shared.records.records import Rejected


@dataclass(frozen=True, slots=True)
class PatienceConfig:
    """What one chunk puts up with.

    Of its candidates `retry_share` may be tried again, at least `retry_floor`; the pauses before that may add up to
    `wait_seconds`. A host that gave no answer `host_failures` times in a row is asked no more, nor one that asked for
    rests of more than `host_rest_seconds` in all.
    """

    retry_share: float = 0.15
    retry_floor: int = 10
    wait_seconds: float = 120.0
    host_failures: int = 5
    host_rest_seconds: float = 120.0


_CONFIG = PatienceConfig()


class Postponed(Exception):
    """The chunk's time ends before the candidate's turn at its host; it is for the chunk that follows."""


class Patience:
    """One chunk's budget of second tries, and the hosts that it has set aside. Hosts are named with their port."""

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

    @property
    def ended(self) -> bool:
        """Whether nothing more should begin."""
        return self._deadline.passed or self._stop()

    @property
    def asked(self) -> bool:
        """Whether any host was asked for anything."""
        return self._asked

    @property
    def remaining_seconds(self) -> float:
        """The chunk's time that is left."""
        return self._deadline.remaining_seconds

    def grant(self, pause_seconds: float) -> bool:
        """Whether there may be another try after this pause; both are taken from the budget where there may."""
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

    def answered(self, host: str) -> None:
        """Note that the host is alive, whatever it said."""
        self._asked = True
        self._failures.pop(host, None)

    def failed(self, host: str, rejected: Rejected) -> None:
        """Note that the host gave no answer; too often in a row, and it is set aside."""
        self._asked = True
        self._failures[host] = self._failures.get(host, 0) + 1
        if self._failures[host] >= self._host_failures:
            self.set_aside(host, rejected)

    def rested(self, host: str, seconds: float, rejected: Rejected) -> None:
        """Note that the host has us wait for so long; too long in all, and it is set aside."""
        self._rested[host] = self._rested.get(host, 0.0) + seconds
        if self._rested[host] > self._host_rest_seconds:
            self.set_aside(host, rejected)

    def set_aside(self, host: str, rejected: Rejected) -> None:
        """Ask the host no more; its candidates end with this reason."""
        detail = f"the host was set aside: {rejected.detail or rejected.reason}"
        self._aside.setdefault(host, Rejected(rejected.reason, detail))

    def refusal(self, host: str) -> Rejected | None:
        """Why the host is not to be asked, if it is not."""
        return self._aside.get(host)
