"""`local`: the app on this computer, from a clone."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from pixcrawler.terminal.exit_codes import ExitCode
from pixcrawler.terminal.options import Json
from pixcrawler.terminal.output import print_json_line, say

commands = typer.Typer(no_args_is_help=True, help="The app on this computer, from a clone.")

Port = Annotated[int, typer.Option("--port", metavar="PORT", min=1, max=65_535, help="The port of the app.")]
Clone = Annotated[
    Path | None,
    typer.Option(
        "--clone", metavar="FOLDER", help="The clone of PixCrawler, in place of the one you are in."
    ),
]
NoSetup = Annotated[bool, typer.Option("--no-setup", help="Take the installed packages as they are.")]
Samples = Annotated[
    bool, typer.Option("--samples", help="Search sample photos, not Openverse. Needs no network.")
]


@commands.callback()
def local() -> None:
    """Keeps `up` a command of a group, though it is the only one."""


@commands.command("up")
def start(
    port: Port = 7071,
    clone: Clone = None,
    login: Annotated[bool, typer.Option("--login", help="Sign in to it, like the command login.")] = False,
    no_setup: NoSetup = False,
    samples: Samples = False,
    as_json: Json = False,
) -> None:
    """Run the app and its storage until Ctrl-C.

    It runs from a clone, like `make start`, and needs no account anywhere.
    """
    from pixcrawler.commands.login import sign_in
    from pixcrawler.local_stack import find_clone, start_stack, stop_stack, wait_until_ready

    _end_on_signals()
    folder = find_clone(clone or Path())
    stack = start_stack(folder, port, setup=not no_setup, samples=samples, to_stderr=as_json)
    try:
        key = wait_until_ready(stack)
        path = str(sign_in(stack.url, key)) if login else None
        if as_json:
            print_json_line({"url": stack.url, "api_key": key, "clone": str(stack.clone), "login": path})
        else:
            say(f"Ready: the app and its dashboard are at {stack.url}\nThe API key is {key}")
            say(f"Signed in. The key is in {path}" if path else f"Sign in with: pixcrawler login {stack.url}")
        if stack.process.wait() != 0:
            raise typer.Exit(ExitCode.FAILED)
    except KeyboardInterrupt:
        # Ctrl-C is how it ends
        pass
    finally:
        stop_stack(stack)


def _end_on_signals() -> None:
    """Makes each signal that ends a program interrupt it like Ctrl-C. A closed terminal ends the stack, too."""
    # a shell that starts this in the background makes it ignore SIGINT, and Windows has no SIGHUP
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
