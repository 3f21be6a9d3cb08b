"""`make bench`: runs the named suites, or all of them, and prints their tables."""

import argparse
import importlib
import os
import platform
import sys
import time

SUITES = (
    "start",
    "devhost",
    "calls",
    "crawl",
    "claims",
    "hosts",
    "scale",
    "archive",
    "metrics",
    "lifecycle",
    "costs",
    "prices",
)


def main() -> int:
    """Runs the suites. Returns 0 when all have ended, whether or not their targets are kept."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("suites", nargs="*", help=f"any of {', '.join(SUITES)}; all by default")
    parser.add_argument("--rounds", type=int, default=3, help="how often each suite measures")
    options = parser.parse_args()
    unknown = set(options.suites) - set(SUITES)
    if unknown:
        parser.error(f"unknown suites: {', '.join(sorted(unknown))}")
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}; it must be 1 or more")
    cores = len(os.sched_getaffinity(0))
    print(f"Python {platform.python_version()}, {cores} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    for name in options.suites or SUITES:
        began = time.monotonic()
        suite = importlib.import_module(f"bench.suites.{name}")
        for table in suite.run(options.rounds):
            print(f"\n{table.show()}", flush=True)
        print(f"({name}: {time.monotonic() - began:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
