"""Measures the plan and the run over 100,000 simulated datasets, undisturbed and killed again and again.

The storage is a file, so a process that is killed is really killed. The run must do exactly what the plan says, and a
run that is killed must end the same.
"""

import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.disk_storage import DiskEntities, open_file
from bench.table import Figure, Table, verdict
from playground.azurite import ROOT
from shared.datasets.rows import from_entity

_SIZES = (10_000, 100_000)
_KILLS = 20
_MOST_MB = 300
_MOST_GROWTH = 1.5


@dataclass(frozen=True, slots=True)
class _Round:
    """The figures of one round: of the plan and of the run, by size."""

    plans: Mapping[int, Mapping[str, Any]]
    runs: Mapping[int, Mapping[str, Any]]
    kills: int


def run(rounds: int) -> Sequence[Table]:
    """Plans and runs both sizes in each round, and the larger one once more with kills."""
    with tempfile.TemporaryDirectory() as folder:
        for size in _SIZES:
            _process("fill", Path(folder, f"{size}"), str(size))
        made = [_round(Path(folder)) for _ in range(rounds)]
    return [_figures(made), _targets(made)]


def _round(folder: Path) -> _Round:
    plans, runs, kills = {}, {}, 0
    for size in _SIZES:
        filled, file = folder / f"{size}", folder / "undisturbed"
        _copy(filled, file)
        plans[size] = _process("plan", file)
        before = _tiers(file)
        runs[size] = _process("run", file)
        after = _tiers(file)
        _check("the effect of the run", _digest(before, after), plans[size]["digest"])
        if size == _SIZES[-1]:
            _copy(filled, folder / "killed")
            kills, counts = _run_killed(folder / "killed", runs[size]["seconds"])
            _check("what a killed run counted", counts, runs[size]["counts"])
            _check("the datasets after a killed run", _tiers(folder / "killed"), after)
    return _Round(plans, runs, kills)


def _run_killed(file: Path, seconds: float) -> tuple[int, object]:
    """Kills the run at random moments; returns how often, and what the last process says that the run has done."""
    for number in range(_KILLS):
        process = subprocess.Popen([*_command("run"), str(file)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None  # noqa: S101 - tells mypy that stdout is a pipe
        process.stdout.readline()
        time.sleep(random.uniform(0, seconds / _KILLS))  # noqa: S311 - chooses a moment, keeps no secret
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate()
        if output:
            return number, json.loads(output)["counts"]
    return _KILLS, _process("run", file)["counts"]


def _command(name: str) -> Sequence[str]:
    return [sys.executable, "-m", "bench.lifecycle_run", name]


def _process(name: str, file: Path, *arguments: str) -> Mapping[str, Any]:
    command = [*_command(name), str(file), *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _copy(source: Path, target: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        Path(f"{target}{ending}").unlink(missing_ok=True)
        if Path(f"{source}{ending}").exists():
            shutil.copyfile(f"{source}{ending}", f"{target}{ending}")


def _tiers(file: Path) -> Mapping[str, str]:
    """Returns the tier of each dataset as it is recorded, with that of its file, by user and id."""
    connection = open_file(file)
    files = dict(connection.execute("select name, tier from blobs where name like '%.zip'").fetchall())
    found = {}
    rows = connection.execute(
        "select partition, row from rows where name = 'datasets' and partition < '~' and row < '~'"
    ).fetchall()
    for user_id, dataset_id in rows:
        [entity] = DiskEntities(connection)._select(  # noqa: SLF001 - of the same benchmark
            "name = ? and partition = ? and row = ?", ("datasets", user_id, dataset_id)
        )
        dataset = from_entity(entity)
        if dataset is not None:
            found[f"{user_id}/{dataset_id}"] = f"{dataset.tier} {files[dataset.blobs[0]]}"
    connection.close()
    return found


def _digest(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Returns the digest of a plan that has these effects."""
    digest = hashlib.sha256()
    for key in sorted(before, key=lambda key: tuple(key.split("/"))):
        tier = after.get(key, "-").partition(" ")[0]
        if after.get(key) != before[key]:
            digest.update(f"{key} {tier}\n".encode())
    return digest.hexdigest()


def _check(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise RuntimeError(f"{what} differs from what was expected")


def _figures(made: Sequence[_Round]) -> Table:
    rows = []
    for name, kind in (("plan", "plans"), ("run", "runs")):
        for size in _SIZES:
            found = [getattr(one, kind)[size] for one in made]
            seconds = [one["seconds"] for one in found]
            rows.append(
                (
                    f"the {name} over {size:,} datasets",
                    Figure.of(seconds).show(1),
                    Figure.of([1e6 * value / size for value in seconds]).show(0),
                    Figure.of([one["peak_mb"] for one in found]).show(0),
                )
            )
    steps = made[0].plans[_SIZES[-1]]["steps"]
    notes = (
        "",
        f"{steps:,} of {_SIZES[-1]:,} datasets are due for a step, and the run does exactly what the plan says.",
        f"Killed at {made[0].kills} random moments, the run ends the same, and counts the same.",
    )
    return Table("The lifecycle of datasets", ("", "seconds", "µs per dataset", "peak MB"), rows, notes)


def _targets(made: Sequence[_Round]) -> Table:
    small, large = _SIZES
    rows = []
    for name, kind in (("plan", "plans"), ("run", "runs")):
        peak = Figure.of([getattr(one, kind)[large]["peak_mb"] for one in made])
        kept = verdict(peak.high, _MOST_MB, at_least=False)
        rows.append(
            (f"peak memory of the {name} at {large:,}", peak.show(0, "MB"), f"under {_MOST_MB} MB", kept)
        )
        growth = Figure.of(
            [
                (getattr(one, kind)[large]["seconds"] / large)
                / (getattr(one, kind)[small]["seconds"] / small)
                for one in made
            ]
        )
        rows.append(
            (
                f"time of the {name} per dataset at {large:,}, compared with {small:,}",
                growth.show(2, "times"),
                f"at most {_MOST_GROWTH}",
                verdict(growth.median, _MOST_GROWTH, at_least=False),
            )
        )
    return Table("Targets", ("", "measured", "target", ""), rows)
