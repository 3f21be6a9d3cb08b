"""Measures the CPU time and memory of process trees, from /proc of Linux."""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")
_EVERY_SECONDS = 0.05


def tree(root: int) -> Iterator[int]:
    """Yields a process and all its descendants."""
    yield root
    try:
        children = Path(f"/proc/{root}/task/{root}/children").read_text()
    except OSError:
        return
    for child in children.split():
        yield from tree(int(child))


def cpu_seconds(pid: int) -> float:
    """Returns the user and system time of a process so far, without its children. It is 0 for a process that ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(fields[place]) for place in (11, 12)) / _TICKS


def resident_mb(pid: int) -> float:
    """Returns the resident memory of a process in 10^6 bytes. It is 0 for a process that ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, IndexError):
        return 0.0


def high_water_mb() -> float:
    """Returns the largest resident memory that this process has had, in 10^6 bytes."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024 / 1e6


@dataclass
class Watch:
    """Measures a process tree during a `with` block, 20 times per second.

    `peak_mb` is the largest resident memory of the whole tree, and `largest_mb` that of a single process. A process
    that starts and ends between two measurements is missed.
    """

    pid: int
    peak_mb: float = 0.0
    largest_mb: float = 0.0
    _before: dict[int, float] = field(default_factory=dict)
    _last: dict[int, float] = field(default_factory=dict)
    _done: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    @property
    def cpu_seconds(self) -> float:
        """The processor time of the tree since the block began."""
        return sum(used - self._before.get(pid, 0.0) for pid, used in self._last.items())

    def __enter__(self) -> Self:
        self._before = {pid: cpu_seconds(pid) for pid in tree(self.pid)}
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        self._measure()

    def _watch(self) -> None:
        while not self._done.wait(_EVERY_SECONDS):
            self._measure()

    def _measure(self) -> None:
        sizes = [0.0]
        for pid in tree(self.pid):
            self._last[pid] = max(self._last.get(pid, 0.0), cpu_seconds(pid))
            sizes.append(resident_mb(pid))
        self.peak_mb = max(self.peak_mb, sum(sizes))
        self.largest_mb = max(self.largest_mb, *sizes)
