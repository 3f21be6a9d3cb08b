"""Compares the crawl engine with and without claims on hosts, which limit all processes of the app together.

The images are on many addresses of one server. Two runs make a pair, one with claims and one without, and the one that
comes first takes turns. So what changes on the machine meanwhile harms both alike.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import fresh
from bench.corpus import FOLDER, make_corpus
from bench.processes import python
from bench.server import HOSTS, urls_on_hosts
from bench.table import Figure, Table, verdict
from playground.azurite import ROOT, Azurite

_IMAGES = 3000
_PAIRS_IN_A_ROUND = 2
_MOST = 1.05
_NOTES = (
    "",
    f"The server has {len(HOSTS)} addresses, and a host gets at most 8 requests at a time, with claims and without.",
    "Images are kept in memory, so only the claims are stored. Processor time is that of the engine's process.",
    "The table and a connection to it exist before, as in an app that has run for a while.",
)


@dataclass(frozen=True, slots=True)
class _Run:
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two runs, one after the other. `requests` are the calls of storage that the claims made."""

    claiming: _Run
    free: _Run
    requests: int


def run(rounds: int) -> Sequence[Table]:
    """Makes two pairs in each round, one in either order."""
    images = make_corpus(_IMAGES)
    pairs: list[_Pair] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        server = ["-m", "bench.server", str(FOLDER), str(_IMAGES)]
        with python(server, "Listening on", folder / "server.log") as (_, line):
            urls = folder / "urls.txt"
            urls.write_text("\n".join(urls_on_hosts(line.split()[-1], images)))
            for number in range(rounds * _PAIRS_IN_A_ROUND):
                pairs.append(_pair(folder, urls, claims_first=number % 2 == 0))
                print(f"  {pairs[-1]}", file=sys.stderr, flush=True)
    return [_table(pairs)]


def _pair(folder: Path, urls: Path, *, claims_first: bool) -> _Pair:
    """Starts an Azurite, and runs the engine twice beside it: with claims and without."""
    azurite = Azurite(fresh(folder / "azurite"), log_requests=True)
    azurite.start()
    try:
        free = None if claims_first else _engine(urls)
        before = azurite.requests()
        claiming = _engine(urls, azurite.connection_string)
        requests = azurite.requests() - before
        return _Pair(claiming, free or _engine(urls), requests)
    finally:
        azurite.stop()


def _engine(urls: Path, *connection: str) -> _Run:
    command = [sys.executable, "-m", "bench.engine", str(urls), *connection]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise RuntimeError(f"bench.engine failed:\n{finished.stderr[-2000:]}")
    seconds, cpu_seconds = map(float, finished.stdout.split())
    return _Run(seconds, cpu_seconds)


def _table(pairs: Sequence[_Pair]) -> Table:
    used = Figure.of([pair.claiming.cpu_seconds / pair.free.cpu_seconds for pair in pairs])
    rate = Figure.of([pair.free.seconds / pair.claiming.seconds for pair in pairs])
    least = 1 / _MOST
    own = Figure.of([1000 * pair.claiming.cpu_seconds / _IMAGES for pair in pairs])
    calls = Figure.of([pair.requests for pair in pairs])
    rows = [
        (
            "processor time with claims, compared with none",
            used.show(3, "times"),
            f"at most {_MOST:g}",
            verdict(used.median, _MOST, at_least=False),
        ),
        (
            "images per second with claims, compared with none",
            rate.show(3, "times"),
            f"at least {least:.2f}",
            verdict(rate.median, least, at_least=True),
        ),
        ("processor time per image, with claims", own.show(2, "ms"), "", ""),
        ("calls of storage for the claims", calls.show(0), "", ""),
    ]
    return Table(f"{_IMAGES:,} images on {len(HOSTS)} hosts", ("", "measured", "target", ""), rows, _NOTES)
