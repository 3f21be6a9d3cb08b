"""`make bench`: run the suites that are named, or all, and print their tables."""

import argparse
import importlib
import os
import platform
import sys
import time

SUITES = ("start", "devhost", "crawl", "hosts", "scale", "archive")


def main() -> int:
    """Run; 0 where every suite came to its end, whatever its figures."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("suites", nargs="*", help=f"of {', '.join(SUITES)}")
    parser.add_argument("--rounds", type=int, default=3, help="how often each measurement is repeated")
    options = parser.parse_args()
    unknown = set(options.suites) - set(SUITES)
    if unknown or options.rounds < 1:
        parser.error(f"unknown: {', '.join(sorted(unknown))}" if unknown else "--rounds must be 1 or more")
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
