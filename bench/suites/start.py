"""What a cold start waits for: the import of the app, beside that of Azure's own library.

Each import is timed within a fresh interpreter. The two take turns, so that both meet the same noise of the machine.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.table import Figure, Table, verdict
from playground.azurite import ROOT

_PAIRS = 3
"""Imports of each kind in a round."""
_MOST_TIMES = 3.0
_DEPLOYED = ("functions", "pixcrawler_sources", "shared")
_TELEMETRY = {
    # nothing listens there, and nothing is sent before the process ends
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=00000000-0000-0000-0000-000000000001;"
    "IngestionEndpoint=http://127.0.0.1:9/"
}
# it ends at once: what is registered for the end of a process is no part of its start
_TIMED = """
import os, time
began = time.perf_counter()
import {}
print(time.perf_counter() - began, flush=True)
os._exit(0)
"""


def run(rounds: int) -> Sequence[Table]:
    """Measure, in a copy of the app whose bytecode is its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        app = Path(folder)
        for name in _DEPLOYED:
            shutil.copytree(ROOT / name, app / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "function_app.py", app)
        pairs = _PAIRS * rounds
        rows = [
            _row(
                "with telemetry, without bytecode", app, {**_TELEMETRY, "PYTHONDONTWRITEBYTECODE": "1"}, pairs
            )
        ]
        _import_seconds("function_app", app, {})
        rows += [_row("with telemetry", app, _TELEMETRY, pairs), _row("without telemetry", app, {}, pairs)]
    heads = ("import of function_app", "measured", "azure.functions", "times", "target", "")
    return [Table("The cold start", heads, rows[::-1])]


def _row(name: str, app: Path, settings: Mapping[str, str], pairs: int) -> Sequence[str]:
    ours: list[float] = []
    azures: list[float] = []
    for _ in range(pairs):
        ours.append(_import_seconds("function_app", app, settings))
        azures.append(_import_seconds("azure.functions", app, settings))
    times = Figure.of([one / other for one, other in zip(ours, azures, strict=True)])
    return (
        name,
        Figure.of([1000 * seconds for seconds in ours]).show(0, "ms"),
        Figure.of([1000 * seconds for seconds in azures]).show(0, "ms"),
        times.show(2),
        f"under {_MOST_TIMES:g}",
        verdict(times.median, _MOST_TIMES, at_least=False),
    )


def _import_seconds(module: str, app: Path, settings: Mapping[str, str]) -> float:
    """How long the import takes in a fresh interpreter that has these settings, and no others of the app."""
    environment = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    timed = subprocess.run(
        [sys.executable, "-c", _TIMED.format(module)],
        cwd=app,
        env={**environment, "AzureWebJobsStorage": "UseDevelopmentStorage=true", **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(timed.stdout)
