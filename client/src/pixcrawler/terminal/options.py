"""Options that several commands share, and the client that they make."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pixcrawler.client import Client

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Url = Annotated[
    str | None,
    typer.Option(
        "--url", metavar="URL", help="The app to call, in place of PIXCRAWLER_URL or the stored one."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Limit = Annotated[int, typer.Option("--limit", metavar="NUMBER", min=1, help="How many to list at most.")]


def connect(url: str | None) -> "Client":
    """Returns a client with the URL and key of the options, the environment or the user's file."""
    from pixcrawler.client import Client

    return Client.from_login(url)


def confirm(question: str, *, yes: bool) -> None:
    """Asks, unless the user has said yes. Ends the command if the answer is no."""
    from pixcrawler.plain_text import plain

    if not yes:
        typer.confirm(plain(question), abort=True)
