"""What a cold start waits for: the import of the app, beside that of Azure's own library, and a job's start.

Each import is timed within a fresh interpreter. The two take turns, so that both meet the same noise of the machine.
The job is submitted as soon as a new host listens, when its worker has imported the app.
"""

import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from py_compile import PycInvalidationMode

from bench.contenders import SETTINGS, fresh
from bench.corpus import FOLDER, make_corpus
from bench.one_job import spec_of_list
from bench.processes import python
from bench.server import first_download, urls_on_hosts
from bench.table import Figure, Table, verdict
from playground.azurite import ROOT
from playground.stack import Stack

_PAIRS = 3
"""Imports of each kind in a round."""
_MOST_TIMES = 3.0
_MOST_SECONDS = 1.0
_IMAGES = 64
_LIMIT_SECONDS = 30
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
    """Measures in a copy of the app, which has the bytecode that `azd deploy` packs."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root, app = Path(folder), Path(folder) / "app"
        for name in _DEPLOYED:
            shutil.copytree(ROOT / name, app / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("function_app.py", "host.json"):
            shutil.copy(ROOT / name, app)
        pairs = _PAIRS * rounds
        without = _row("with telemetry, without bytecode", app, _TELEMETRY, pairs)
        compileall.compile_dir(app, quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
        rows = [
            _row("with telemetry", app, _TELEMETRY, pairs),
            _row("without telemetry", app, {}, pairs),
            # `func start` and a build on Azure have none
            without,
        ]
        first = [_seconds_to_first_download(root, app) for _ in range(rounds)]
    heads = ("import of function_app", "measured", "azure.functions", "times", "target", "")
    return [Table("The cold start", heads, rows), _first_downloads(first)]


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
        env={
            **environment,
            "AzureWebJobsStorage": "UseDevelopmentStorage=true",
            # as the folder of a deployed app, which cannot be written
            "PYTHONDONTWRITEBYTECODE": "1",
            **settings,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return float(timed.stdout)


def _seconds_to_first_download(root: Path, app: Path) -> float:
    """Starts a host with new storage, submits a job at once, and returns the seconds until it asks for an image."""
    images = make_corpus(_IMAGES)
    stack = Stack(fresh(root / "stack"), settings=SETTINGS)
    stack.folder.mkdir()
    stack.start_storage()
    server = ["-m", "bench.server", str(FOLDER), str(_IMAGES)]
    host = ["-m", "devhost", "--root", str(app), "--port", "0"]
    try:
        with python(server, "Listening on", root / "server.log") as (_, line):
            base = line.split()[-1]
            spec = spec_of_list(stack, "\n".join(urls_on_hosts(base, images)).encode())
            with python(host, "Listening on", root / "host.log", stack.environment()) as (_, ready):
                began = time.monotonic()
                _submit(ready.split()[-1], stack.api_key, spec)
                while time.monotonic() < began + _LIMIT_SECONDS:
                    if at := first_download(base):
                        return at - began
                    time.sleep(0.02)
        raise RuntimeError(f"the job asks for no image:\n{(root / 'host.log').read_text()[-2000:]}")
    finally:
        stack.stop()


def _submit(url: str, api_key: str, spec: Mapping[str, object]) -> None:
    request = urllib.request.Request(  # noqa: S310 - always http
        f"{url}/api/v1/jobs",
        json.dumps(spec).encode(),
        {"Content-Type": "application/json", "X-API-Key": api_key},
    )
    with urllib.request.urlopen(request, timeout=_LIMIT_SECONDS):  # noqa: S310 - likewise
        pass


def _first_downloads(seconds: Sequence[float]) -> Table:
    figure = Figure.of(seconds)
    row = (
        "first download of a job that is submitted as soon as the app is imported",
        figure.show(2, "s"),
        f"under {_MOST_SECONDS:g} s",
        verdict(figure.median, _MOST_SECONDS, at_least=False),
    )
    return Table("The first job after a cold start", ("", "measured", "target", ""), [row])
