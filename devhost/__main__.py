"""`python -m devhost`: run a function app as `func start` does."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from devhost.host import Host
from devhost.settings import StartError

_REAL_LEASE_SECONDS = 600


def main() -> int:
    """Run until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="devhost", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="the app's folder")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=7071, help="the port to listen on; 0 takes a free one")
    parser.add_argument(
        "--message-lease",
        type=int,
        default=_REAL_LEASE_SECONDS,
        metavar="SECONDS",
        help="how long a received queue message stays with a host that dies (the real host: 600)",
    )
    parser.add_argument("--verbose", action="store_true", help="log the libraries' details too")
    options = parser.parse_args()
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="[%(asctime)s] %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    if not options.verbose:
        for name in ("azure", "azure_functions_runtime", "urllib3"):
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # at the end, of what the app left open
    try:
        asyncio.run(_run(Host(options.root, options.host, options.port, options.message_lease)))
    except StartError as error:
        print(f"devhost: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(host: Host) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await host.run(stop)


if __name__ == "__main__":
    sys.exit(main())
