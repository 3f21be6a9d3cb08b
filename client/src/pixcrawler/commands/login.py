"""`login` and `logout`."""

import sys
from typing import Annotated

import typer

from pixcrawler.terminal.output import say


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(login)
    app.command()(logout)


def login(url: Annotated[str, typer.Argument(help="The URL of the app.")]) -> None:
    """Store the URL of an app and an API key for it.

    The key is asked for, or read from standard input if that is no terminal, or taken from PIXCRAWLER_API_KEY. It is
    tried, and stored in a file that only you can read.
    """
    from pixcrawler import calls
    from pixcrawler.client import Client
    from pixcrawler.config import Login, allows_http, key_of_environment, store
    from pixcrawler.errors import Refused

    key = key_of_environment()
    if not key:
        key = typer.prompt("API key", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline(10_000)
    key = key.strip()
    with Client(url, key, allow_http=allows_http()) as client:
        try:
            client.send(calls.jobs())
        except Refused as error:
            # a key without the scope `read` is valid, too
            if error.problem.code != "forbidden":
                raise
    say(f"Signed in to {url}. The key is in {store(Login(url, key))}")


def logout() -> None:
    """Delete the stored URL and key from this computer. The key stays valid: `keys revoke` revokes it."""
    from pixcrawler.config import forget

    say("Signed out." if forget() else "Nothing was stored.")
