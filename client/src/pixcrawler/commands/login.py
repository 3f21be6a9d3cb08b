"""`login` and `logout`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pixcrawler.terminal.options import Json
from pixcrawler.terminal.output import print_json, say


def add_commands(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(login)
    app.command()(logout)


def login(
    url: Annotated[str, typer.Argument(metavar="URL", help="The URL of the app.")], as_json: Json = False
) -> None:
    """Store the URL of an app and an API key for it.

    The key is asked for, or read from standard input if that is no terminal, or taken from PIXCRAWLER_API_KEY. It is
    tried, and stored in a file that only you can read.
    """
    from pixcrawler.config import key_of_environment

    key = key_of_environment()
    if not key:
        key = typer.prompt("API key", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline(10_000)
    path = str(sign_in(url, key.strip()))
    print_json({"url": url, "file": path}) if as_json else say(f"Signed in to {url}. The key is in {path}")


def sign_in(url: str, key: str) -> Path:
    """Tries a key, and stores it with the URL. Returns the path of the file."""
    from pixcrawler import calls
    from pixcrawler.client import Client
    from pixcrawler.config import Login, allows_http, store
    from pixcrawler.errors import Refused

    with Client(url, key, allow_http=allows_http()) as client:
        try:
            client.send(calls.jobs())
        except Refused as error:
            # a key without the scope `read` is valid, too
            if error.problem.code != "forbidden":
                raise
    return store(Login(url, key))


def logout(as_json: Json = False) -> None:
    """Delete the stored URL and key from this computer. The key stays valid: `keys revoke` revokes it."""
    from pixcrawler.config import forget

    forgotten = forget()
    if as_json:
        print_json({"signed_out": forgotten})
    else:
        say("Signed out." if forgotten else "Nothing was stored.")
