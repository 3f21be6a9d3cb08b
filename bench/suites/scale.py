"""A job of a million candidates, simulated: what each step takes in time, memory and calls of storage, by size.

Each size has a process of its own. What grows with the job shows in the figures a candidate, which should not.
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
    """`steps` is by step and by what was measured of it."""

    steps: Mapping[str, Mapping[str, float]]
    stored_mb: float

    @classmethod
    def of(cls, candidates: int) -> Self:
        told = subprocess.run(
            [sys.executable, "-m", "bench.simulation", str(candidates)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            preexec_fn=die_with_parent,
        )
        found = json.loads(told.stdout)
        return cls(found["steps"], found["stored_mb"])

    @property
    def peak_mb(self) -> float:
        return max(step["peak_mb"] for step in self.steps.values())

    @property
    def own_mb(self) -> float:
        """Without the blobs, which are in storage elsewhere; the stores' rows and objects are still in it."""
        return self.peak_mb - self.stored_mb

    def total(self, name: str) -> float:
        return sum(step[name] for step in self.steps.values())


def run(rounds: int) -> Sequence[Table]:
    """Every size so many times."""
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
    notes = ("", "The archive is planned and shared out; no byte of an image is read or written.")
    return Table("A job in simulation, by step and candidates", heads, rows, notes)


def _wholes(runs: Mapping[int, Sequence[_Run]]) -> Table:
    heads = ("candidates", "seconds", "µs/candidate", "storage calls", "peak MB", "of it blobs, MB")
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
        "The stores are in the same process: its memory holds the blobs as the app wrote them, which Azure would keep.",
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
        (f"peak memory at {large:,}, with the blobs in it", [one.peak_mb for one in runs[large]]),
        (f"peak memory at {large:,}, without the blobs", [one.own_mb for one in runs[large]]),
    ):
        memory = Figure.of(sizes)
        kept = verdict(memory.high, _MOST_MB, at_least=False)
        rows.append((name, memory.show(0, "MB"), f"under {_MOST_MB:,} MB", kept))
    rows.append(
        (
            f"time a candidate at {large:,}, beside that at {small:,}",
            growth.show(2, "times"),
            "at most 1.5",
            verdict(growth.median, 1.5, at_least=False),
        )
    )
    return Table("Targets", ("", "measured", "target", ""), rows)
