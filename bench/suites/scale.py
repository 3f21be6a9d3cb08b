"""Measures simulated jobs of up to a million candidates: the time, memory and storage calls of each step.

Each job runs in its own process. The figures per candidate should not grow with the size of the job.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from bench.table import Figure, Table, verdict
from playground.azurite import ROOT, die_with_parent

_SIZES = (100_000, 300_000, 1_000_000)
_STEPS = ("discovery", "crawl", "planning")
_MOST_MB = 1000


@dataclass(frozen=True, slots=True)
class _Run:
    """The figures of one job. `steps` has a mapping of figures for each step. `stored_mb` is the size of all blobs."""

    steps: Mapping[str, Mapping[str, float]]
    stored_mb: float

    @classmethod
    def of(cls, candidates: int) -> Self:
        finished = subprocess.run(
            [sys.executable, "-m", "bench.simulation", str(candidates)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            preexec_fn=die_with_parent,
        )
        found = json.loads(finished.stdout)
        return cls(found["steps"], found["stored_mb"])

    @property
    def peak_mb(self) -> float:
        return max(step["peak_mb"] for step in self.steps.values())

    @property
    def own_mb(self) -> float:
        """The peak memory without the blobs. The rows and objects of the stores in memory are still part of it."""
        return self.peak_mb - self.stored_mb

    def total(self, name: str) -> float:
        return sum(step[name] for step in self.steps.values())


def run(rounds: int) -> Sequence[Table]:
    """Runs each size once in each round."""
    runs: dict[int, list[_Run]] = {size: [] for size in _SIZES}
    for _ in range(rounds):
        for size in _SIZES:
            runs[size].append(_Run.of(size))
    return [_by_step(runs), _wholes(runs), _targets(runs)]


def _by_step(runs: Mapping[int, Sequence[_Run]]) -> Table:
    heads = (
        "",
        "seconds",
        "µs/candidate",
        "messages",
        "storage calls",
        "calls/1,000 candidates",
        "peak MB so far",
    )
    rows = []
    for step in _STEPS:
        for size, made in runs.items():
            found = [one.steps[step] for one in made]
            seconds = [step["seconds"] for step in found]
            rows.append(
                (
                    f"{step}, {size:,}",
                    Figure.of(seconds).show(1),
                    Figure.of([1e6 * value / size for value in seconds]).show(0),
                    f"{found[0]['messages']:,.0f}",
                    f"{found[0]['calls']:,.0f}",
                    f"{1000 * found[0]['calls'] / size:,.2f}",
                    Figure.of([step["peak_mb"] for step in found]).show(0),
                )
            )
    notes = ("", "The archive is planned and its parts are queued. No bytes of images are read or written.")
    return Table("A simulated job, by step and number of candidates", heads, rows, notes)


def _wholes(runs: Mapping[int, Sequence[_Run]]) -> Table:
    heads = ("candidates", "seconds", "µs/candidate", "storage calls", "peak MB", "MB of blobs in it")
    rows = []
    for size, made in runs.items():
        seconds = [one.total("seconds") for one in made]
        rows.append(
            (
                f"{size:,}",
                Figure.of(seconds).show(1),
                Figure.of([1e6 * value / size for value in seconds]).show(0),
                f"{made[0].total('calls'):,.0f}",
                Figure.of([one.peak_mb for one in made]).show(0),
                f"{made[0].stored_mb:,.0f}",
            )
        )
    notes = (
        "",
        "The stores are in the same process, so its memory also holds the blobs, which would be in Azure.",
    )
    return Table("The whole job", heads, rows, notes)


def _targets(runs: Mapping[int, Sequence[_Run]]) -> Table:
    small, large = _SIZES[0], _SIZES[-1]
    growth = Figure.of(
        [
            (last.total("seconds") / large) / (first.total("seconds") / small)
            for first, last in zip(runs[small], runs[large], strict=True)
        ]
    )
    rows = []
    for name, sizes in (
        (f"peak memory at {large:,}, with blobs", [one.peak_mb for one in runs[large]]),
        (f"peak memory at {large:,}, without blobs", [one.own_mb for one in runs[large]]),
    ):
        memory = Figure.of(sizes)
        kept = verdict(memory.high, _MOST_MB, at_least=False)
        rows.append((name, memory.show(0, "MB"), f"under {_MOST_MB:,} MB", kept))
    rows.append(
        (
            f"time per candidate at {large:,}, compared with {small:,}",
            growth.show(2, "times"),
            "at most 1.5",
            verdict(growth.median, 1.5, at_least=False),
        )
    )
    return Table("Targets", ("", "measured", "target", ""), rows)
