"""`python -m devhost`: runs a function app as `func start` does."""

import argparse
import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from devhost.console import configure_logging
from devhost.host import Host, HostOptions
from devhost.settings import StartError, load_settings

_log = logging.getLogger("devhost")

_REAL_LEASE_SECONDS = 600


def main() -> int:
    """Runs until Ctrl-C or SIGTERM. Returns the exit status: 1 if the app cannot be started."""
    given = _parser().parse_args()
    configure_logging(verbose=given.verbose)
    options = HostOptions(
        given.root.resolve(),
        given.message_lease,
        given.enable_auth,
        given.verbose,
        (given.host, *given.admin_host),
        given.python,
    )
    try:
        port = load_settings(options.root).port if given.port is None else given.port
        listening = _listen(given.host, port)
        with listening:
            asyncio.run(_serve(options, listening, watch=given.watch))
    except StartError as error:
        print(f"devhost: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="devhost", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="the app's folder")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument(
        "--port",
        type=_within(0, 65_535),
        help="the port to listen on (7071, or LocalHttpPort); 0 takes a free one",
    )
    parser.add_argument(
        "--message-lease",
        type=_within(1, 7 * 86_400),
        default=_REAL_LEASE_SECONDS,
        metavar="SECONDS",
        help="how long a received queue message stays invisible if the host is killed (600 in the real host)",
    )
    parser.add_argument("--enable-auth", "--enableAuth", action="store_true", help="require function keys")
    parser.add_argument(
        "--admin-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further host name for calls of /admin, besides localhost and the address (repeatable)",
    )
    parser.add_argument(
        "--python",
        default=sys.executable,
        metavar="PATH",
        help="the interpreter of the workers, which has azure-functions-runtime and uvloop",
    )
    parser.add_argument("--watch", action="store_true", help="reload when the app's code or settings change")
    parser.add_argument("--verbose", action="store_true", help="log details of libraries, too")
    return parser


def _within(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is out of range; it must be {least} to {most}")
        return int(text)

    return number


async def _serve(options: HostOptions, listening: socket.socket, *, watch: bool) -> None:
    """Runs the host. With `watch`, starts a new one on the same socket after each change."""
    loop = asyncio.get_running_loop()
    ending, stop = asyncio.Event(), asyncio.Event()

    def end() -> None:
        ending.set()
        stop.set()
        # the host closes its own copy, too, so new connections are refused
        listening.close()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    while not ending.is_set():
        stop.clear()
        watching = asyncio.create_task(_watch(options.root, stop)) if watch else None
        try:
            await Host(options, load_settings(options.root), listening).run(stop)
        except StartError as error:
            if not watch:
                raise
            _log.error("%s", error)
            await stop.wait()
        finally:
            if watching is not None:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
        if not watch:
            return


async def _watch(root: Path, stop: asyncio.Event) -> None:
    from devhost.watch import next_change

    name = await next_change(root)
    _log.info("%s has changed: reloading", name)
    stop.set()


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.ExitStack() as undo:
        listening = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((address, port))
            listening.listen(128)
        except OSError as error:
            raise StartError(f"Cannot listen on port {port}: {error.strerror}.") from None
        undo.pop_all()
    return listening


if __name__ == "__main__":
    sys.exit(main())
